import { fork } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { portOfChild } from "../rpc/index.ts";
import type { HostProcess, StartHost } from "./host-process.ts";

/** Starts the model host as a child of this Node. `logPath` takes what it and its libraries print; else it goes to stderr. */
export function startNodeHost(entryPath: string, logPath?: string): StartHost {
  return () => {
    const out = logPath === undefined ? 2 : openSync(logPath, "a");
    const child = fork(entryPath, [], {
      execPath: process.execPath,
      execArgv: [],
      serialization: "advanced",
      // stdout may be this program's protocol, so the child never gets it
      stdio: ["ignore", out, out, "ipc"],
    });
    if (out !== 2) closeSync(out);
    const exited = new Promise<Awaited<HostProcess["exited"]>>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      child.once("error", () => resolve({ code: null, signal: null }));
    });
    return { port: portOfChild(child), exited, kill: () => void child.kill("SIGKILL") };
  };
}
