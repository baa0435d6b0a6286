import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { AppError } from "../../shared/errors.ts";
import { type TrainerLocation, trainerEnvironment } from "./environment.ts";

export type TrainerAnswer = {
  /** The JSON lines of its stdout. */
  lines: unknown[];
  stderr: string;
  /** Exit code, signal, or null for a trainer that did not end in time. */
  end: { code: number | null; signal: string | null } | null;
};

/**
 * One short question to the trainer, such as `devices` or `inspect FILE`, in a process of its own: a driver may crash
 * or never come back. Errors: TRAINER_MISSING.
 */
export async function askTrainer(
  location: TrainerLocation,
  args: readonly string[],
  timeoutMs = 30_000,
): Promise<TrainerAnswer> {
  if (!existsSync(location.trainerPath)) throw trainerMissing(location.trainerPath);
  const child = spawn(location.trainerPath, args, {
    env: trainerEnvironment(location),
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let timer: NodeJS.Timeout | undefined;
  const end = await new Promise<TrainerAnswer["end"]>((resolve, reject) => {
    child.once("error", (cause) => reject(trainerMissing(location.trainerPath, cause)));
    child.once("close", (code, signal) => resolve({ code, signal }));
    timer = setTimeout(() => resolve(null), timeoutMs);
  });
  clearTimeout(timer);
  if (end === null) {
    // a process that hangs in a driver may outlive even this: nobody waits for it
    child.kill("SIGKILL");
    child.unref();
    child.stdout.destroy();
    child.stderr.destroy();
  }
  return { lines: readLines(stdout), stderr, end };
}

function readLines(stdout: string): unknown[] {
  return stdout.split("\n").flatMap((line): unknown[] => {
    try {
      return line.startsWith("{") ? [JSON.parse(line)] : [];
    } catch {
      return []; // the last line of a trainer that was killed
    }
  });
}

export function trainerMissing(trainerPath: string, cause?: unknown): AppError {
  return new AppError("TRAINER_MISSING", `The native trainer is not at ${trainerPath}, or cannot be started`, {
    hint: "Build it with npm run build:native, or install the program again.",
    cause,
  });
}
