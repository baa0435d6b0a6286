import type { Port } from "../../shared/rpc/port.ts";
import type { HostProcess, StartHost } from "../inference/index.ts";
import type { ShellLink } from "./shell-link.ts";

type Starting = {
  attach(port: Port): void;
  exited(exit: { code: number | null; signal: string | null }): void;
};

/**
 * Processes that the shell starts at the engine's request, because only it can: `utilityProcess.fork` exists in
 * Electron's main process alone. Returns null where the shell offers none (a plain Node child forks for itself).
 */
export function startHostThroughShell(shell: ShellLink): StartHost | null {
  if (!shell.onHostPort) return null;
  const hosts = new Map<number, Starting>();
  let nextHostId = 1;

  shell.onHostPort((hostId, port) => hosts.get(hostId)?.attach(port));
  shell.onFrame((frame) => {
    if (frame.t !== "host-exited") return;
    const host = hosts.get(frame.hostId);
    hosts.delete(frame.hostId);
    host?.exited({ code: frame.code, signal: frame.signal });
  });

  return (name): HostProcess => {
    const hostId = nextHostId++;
    const deferred = createDeferredPort();
    const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
      hosts.set(hostId, {
        attach: (port) => deferred.attach(port),
        exited: (exit) => {
          deferred.port.close();
          resolve(exit);
        },
      });
    });
    shell.post({ t: "start-host", hostId, name });
    return { port: deferred.port, exited, kill: () => shell.post({ t: "kill-host", hostId }) };
  };
}

/** The channel arrives a moment after the request; what is posted before waits for it. */
function createDeferredPort() {
  const waiting: unknown[] = [];
  const messageListeners = new Set<(message: unknown) => void>();
  const closeListeners = new Set<() => void>();
  let actual: Port | undefined;
  let isClosed = false;

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    actual?.close();
    for (const listener of closeListeners) listener();
  }

  const port: Port = {
    post: (message) => {
      if (isClosed) return;
      if (actual) actual.post(message);
      else waiting.push(message);
    },
    onMessage: (listener) => void messageListeners.add(listener),
    onClose: (listener) => void closeListeners.add(listener),
    close,
  };
  return {
    port,
    attach(arrived: Port): void {
      if (isClosed) return arrived.close();
      actual = arrived;
      arrived.onMessage((message) => messageListeners.forEach((listener) => listener(message)));
      arrived.onClose(close);
      for (const message of waiting.splice(0)) arrived.post(message);
    },
  };
}
