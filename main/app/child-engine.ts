import { fork } from "node:child_process";
import type { MessagePortMain } from "electron";
import type { EngineFrame, EngineInit, ShellFrame } from "../shared/engine-frames.ts";
import { childEnvironment, type EngineProcess, type ProcessExit } from "./engine-process.ts";
import { forEachLine, type Log } from "./log.ts";

/**
 * The engine as a child of the project's own Node, for an Electron whose built-in Node is too old for the database's
 * native code. A Node child takes no Electron ports: its channels are frames over its IPC, relayed here.
 */
export function startChildEngine(enginePath: string, nodePath: string, init: EngineInit, log: Log): EngineProcess {
  const child = fork(enginePath, [], {
    execPath: nodePath,
    execArgv: [],
    serialization: "advanced",
    env: childEnvironment(),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  forEachLine(child.stdout, (line) => log.info({ scope: "engine" }, line));
  forEachLine(child.stderr, (line) => log.warn({ scope: "engine" }, line));
  const post = (frame: ShellFrame) => {
    if (child.connected) child.send(frame, () => {}); // a failed send is followed by the exit, which is what counts
  };
  const relay = createRelay(post);
  const exited = new Promise<ProcessExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => {
      log.error({ scope: "engine", err: error }, "the engine process could not be started");
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  void exited.then(() => relay.closeAll());
  child.on("message", (message) => relay.deliver(message as EngineFrame)); // one build on both sides
  post({ t: "init", init });
  return {
    pid: child.pid,
    post,
    onFrame: (listener) => void child.on("message", (message) => listener(message as EngineFrame)),
    openPort: (port) => relay.open(port),
    exited,
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Windows' ports on this side, numbered frames on the other. */
function createRelay(post: (frame: ShellFrame) => void) {
  const ports = new Map<number, MessagePortMain>();
  let nextPortId = 1;
  return {
    open(port: MessagePortMain): void {
      const portId = nextPortId++;
      ports.set(portId, port);
      post({ t: "open-port", portId });
      port.on("message", (event) => post({ t: "port-data", portId, message: event.data }));
      port.on("close", () => {
        if (ports.delete(portId)) post({ t: "port-close", portId });
      });
      port.start();
    },
    deliver(frame: EngineFrame): void {
      if (frame.t === "port-data") ports.get(frame.portId)?.postMessage(frame.message);
      else if (frame.t === "port-close") closePort(ports, frame.portId);
    },
    closeAll: () => [...ports.keys()].forEach((portId) => closePort(ports, portId)),
  };
}

function closePort(ports: Map<number, MessagePortMain>, portId: number): void {
  const port = ports.get(portId);
  ports.delete(portId);
  port?.close();
}
