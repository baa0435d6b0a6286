import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from "electron";
import type { EngineFrame, EngineInit, ShellFrame } from "../shared/engine-frames.ts";
import { childEnvironment, type EngineProcess, type ProcessExit } from "./engine-process.ts";
import { forEachLine, type Log } from "./log.ts";

/**
 * The engine as Electron's utility process. A window's channel and the channel to the model host are handed over as
 * ports, so this process carries no data of theirs.
 */
export function startUtilityEngine(enginePath: string, init: EngineInit, log: Log): EngineProcess {
  const child = fork(enginePath, "engine", log);
  const hosts = startHosts(child, init.modelHostPath, log);
  send(child, { t: "init", init });
  const exited = exitOf(child);
  void exited.then(hosts.killAll);
  return {
    get pid() {
      return child.pid; // known only when it has been spawned
    },
    post: (frame) => send(child, frame),
    onFrame: (listener) =>
      void child.on("message", (frame: EngineFrame) => {
        if (frame.t === "start-host") hosts.start(frame.hostId);
        else if (frame.t === "kill-host") hosts.kill(frame.hostId);
        else listener(frame);
      }),
    openPort: (port) => send(child, { t: "open-port", portId: 1 }, [port]),
    exited,
    kill: () => void child.kill(),
  };
}

/** The model hosts of one engine: they end with it, since nobody else holds a channel to them. */
function startHosts(engine: UtilityProcess, modelHostPath: string, log: Log) {
  const hosts = new Map<number, UtilityProcess>();
  async function start(hostId: number): Promise<void> {
    const host = fork(modelHostPath, "model-host", log);
    const { port1, port2 } = new MessageChannelMain();
    hosts.set(hostId, host);
    host.postMessage({ t: "serve" }, [port1]);
    send(engine, { t: "host-started", hostId }, [port2]);
    const exit = await exitOf(host);
    hosts.delete(hostId);
    send(engine, { t: "host-exited", hostId, ...exit });
  }
  return {
    start: (hostId: number) => void start(hostId),
    kill: (hostId: number) => void hosts.get(hostId)?.kill(),
    killAll: () => hosts.forEach((host) => host.kill()),
  };
}

function send(engine: UtilityProcess, frame: ShellFrame, ports: MessagePortMain[] = []): void {
  engine.postMessage(frame, ports);
}

function fork(path: string, serviceName: string, log: Log): UtilityProcess {
  const child = utilityProcess.fork(path, [], { serviceName, stdio: "pipe", env: childEnvironment() });
  forEachLine(child.stdout, (line) => log.info({ scope: serviceName }, line));
  forEachLine(child.stderr, (line) => log.warn({ scope: serviceName }, line));
  return child;
}

/** Electron gives no signal: a killed process has the code that the system reports. */
function exitOf(child: UtilityProcess): Promise<ProcessExit> {
  return new Promise((resolve) => child.once("exit", (code) => resolve({ code, signal: null })));
}
