import type { Port } from "../../shared/rpc/port.ts";

/** A process that the shell has started for the engine. The exit is the only truth about its life. */
export type HostProcess = {
  port: Port;
  /** Resolves, never rejects, when the process is gone. */
  exited: Promise<{ code: number | null; signal: string | null }>;
  kill(): void;
};

/** Given to the engine by its shell: Electron main forks a utility process, the command line a Node child. */
export type StartHost = (name: "model-host") => HostProcess;
