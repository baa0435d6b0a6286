import type { MessagePortMain } from "electron";
import type { EngineFrame, EngineInit, ShellFrame } from "../shared/engine-frames.ts";

export type ProcessExit = { code: number | null; signal: string | null };

/** A running engine process, whichever transport carries it. See [Note: engine process]. */
export type EngineProcess = {
  readonly pid: number | undefined;
  post(frame: ShellFrame): void;
  onFrame(listener: (frame: EngineFrame) => void): void;
  /** Gives the engine the other end of a window's channel. */
  openPort(port: MessagePortMain): void;
  /** Resolves, never rejects, when the process is gone: the only truth about its life. */
  exited: Promise<ProcessExit>;
  kill(): void;
};

export type StartEngine = (init: EngineInit) => EngineProcess;

/** The environment of our own processes: the user's, without what could change which code runs in them. */
export function childEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || /^(NODE_|ELECTRON_|DYLD_INSERT|LD_PRELOAD$)/i.test(name)) continue;
    kept[name] = value;
  }
  return kept;
}
