import { MessageChannelMain, utilityProcess, type UtilityProcess } from "electron";
import type { EngineFrame, EngineInit } from "../shared/engine-frames.ts";
import { childEnvironment, type EngineProcess, type ProcessExit } from "./engine-process.ts";
import { forEachLine, type Log } from "./log.ts";

/**
 * The engine as Electron's utility process. A window's channel and the channel to the model host are handed over as
 * ports, so this process carries no data of theirs.
 */
export function startUtilityEngine(enginePath: string, init: EngineInit, log: Log): EngineProcess {
  const child = fork(enginePath, "engine", log);
  const hosts = startHosts(child, init.modelHostPath, log);
  child.postMessage({ t: "init", init });
  const exited = exitOf(child);
  void exited.then(hosts.killAll);
  return {
    pid: child.pid,
    post: (frame) => child.postMessage(frame),
    onFrame: (listener) =>
      void child.on("message", (frame: EngineFrame) => {
        if (frame.t === "start-host") hosts.start(frame.hostId);
        else if (frame.t === "kill-host") hosts.kill(frame.hostId);
        else listener(frame);
      }),
    openPort: (port) => child.postMessage({ t: "open-port", portId: 1 }, [port]),
    exited,
    kill: () => void child.kill(),
  };
}

/** The model hosts of one engine: they end with it, since nobody else holds a channel to them. */
function startHosts(engine: UtilityProcess, modelHostPath: string, log: Log) {
  const hosts = new Map<number, UtilityProcess>();
  return {
    start(hostId: number): void {
      const host = fork(modelHostPath, "model-host", log);
      const { port1, port2 } = new MessageChannelMain();
      hosts.set(hostId, host);
      host.postMessage({ t: "serve" }, [port1]);
      engine.postMessage({ t: "host-started", hostId }, [port2]);
      void exitOf(host).then(({ code, signal }) => {
        hosts.delete(hostId);
        engine.postMessage({ t: "host-exited", hostId, code, signal });
      });
    },
    kill: (hostId: number) => void hosts.get(hostId)?.kill(),
    killAll: () => hosts.forEach((host) => host.kill()),
  };
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
