import type { EngineFrame } from "../../shared/engine-frames.ts";
import { ShellFrame } from "../../shared/engine-frames.ts";
import type { Port } from "../../shared/rpc/port.ts";
import { portOfElectron, portOfParent, type ElectronPort } from "../rpc/index.ts";
import { createPortMux } from "./port-mux.ts";

/** The engine's side of what is between it and the program that started it. See [Note: engine process]. */
export type ShellLink = {
  post(frame: EngineFrame): void;
  onFrame(listener: (frame: ShellFrame) => void): void;
  /** A window has opened a channel. */
  onPort(listener: (port: Port) => void): void;
  /** The shell is gone: whoever survives it would hold the workspace's lock for nobody. */
  onGone(listener: () => void): void;
  /** Set where the shell can start processes for the engine and hand over a channel to them. */
  onHostPort: ((listener: (hostId: number, port: Port) => void) => void) | null;
};

type ParentPort = ElectronPort & {
  on(event: "message", listener: (event: { data: unknown; ports: ElectronPort[] }) => void): unknown;
};

/** Electron's utility process has `process.parentPort`; a forked Node child has `process.send`. */
export function connectShell(): ShellLink | null {
  // typed here, because only Electron's types know it
  const parentPort = (process as unknown as { parentPort?: ParentPort }).parentPort;
  if (parentPort) return linkOfParentPort(parentPort);
  return process.connected ? linkOfPort(portOfParent()) : null;
}

function linkOfParentPort(parentPort: ParentPort): ShellLink {
  const frames = listeners<[ShellFrame]>();
  const ports = listeners<[Port]>();
  const hostPorts = listeners<[number, Port]>();
  const parent = portOfElectron(parentPort);
  parentPort.on("message", (event: { data: unknown; ports: ElectronPort[] }) => {
    const frame = ShellFrame.parse(event.data);
    const port = event.ports[0];
    if (frame.t === "open-port" && port) ports.emit(portOfElectron(port));
    else if (frame.t === "host-started" && port) hostPorts.emit(frame.hostId, portOfElectron(port));
    else frames.emit(frame);
  });
  parentPort.start?.();
  return {
    post: (frame) => parent.post(frame),
    onFrame: frames.add,
    onPort: ports.add,
    onGone: () => {}, // Electron ends its utility processes with itself
    onHostPort: hostPorts.add,
  };
}

/** Frames and channels over one port; used with the child's IPC, and by tests with any port. */
export function linkOfPort(parent: Port): ShellLink {
  const frames = listeners<[ShellFrame]>();
  const ports = listeners<[Port]>();
  const post = (frame: EngineFrame) => parent.post(frame);
  const mux = createPortMux(post);
  parent.onMessage((message) => {
    const frame = ShellFrame.parse(message);
    if (frame.t === "open-port") ports.emit(mux.open(frame.portId));
    else if (frame.t === "port-data") mux.deliver(frame.portId, frame.message);
    else if (frame.t === "port-close") mux.closed(frame.portId);
    else frames.emit(frame);
  });
  return {
    post,
    onFrame: frames.add,
    onPort: ports.add,
    onGone: (listener) => parent.onClose(listener),
    onHostPort: null,
  };
}

function listeners<Arguments extends unknown[]>() {
  const all = new Set<(...values: Arguments) => void>();
  return {
    add: (listener: (...values: Arguments) => void) => void all.add(listener),
    emit: (...values: Arguments) => {
      for (const listener of all) listener(...values);
    },
  };
}
