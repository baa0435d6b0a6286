import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../shared/errors.ts";
import { type TrainerLocation, trainerEnvironment, trainerMissing } from "../devices/index.ts";
import { parseTrainerLine, type TrainerEvent, type TrainerFailure } from "./trainer-events.ts";

type TrainerChild = ChildProcessByStdio<Writable, Readable, Readable>;

const STOP_GRACE_MS = 10_000;
const TERMINATE_GRACE_MS = 5_000;
const STDERR_TAIL_CHARS = 4000;

/** The trainer's own names for a device that is not there or cannot compute; its other resource is memory. */
const DEVICE_CODES = new Set([
  "DEVICE_NOT_FOUND",
  "DEVICE_FAILED",
  "NO_DEVICE",
  "OP_UNSUPPORTED",
  "GGML_LIBRARY",
  "GGML_VERSION",
  "DRIVER_TOO_OLD",
]);

/**
 * Runs `native-trainer <command> <arguments>` to its end and hands every event on. An aborted signal asks the trainer to
 * stop after its step with a checkpoint, then makes it.
 * Errors: TRAINER_MISSING, TRAINER_CONFIG and DISK_FULL (exit 2), OUT_OF_MEMORY and DEVICE_UNAVAILABLE (exit 3),
 * INTERRUPTED (exit 4), TRAINER_CRASHED, TRAINER_PROTOCOL.
 */
export async function runTrainer(
  location: TrainerLocation,
  command: "train" | "score" | "dequantise",
  args: string[],
  onEvent: (event: TrainerEvent) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (!existsSync(location.trainerPath)) throw trainerMissing(location.trainerPath);
  signal?.throwIfAborted();
  const child: TrainerChild = spawn(location.trainerPath, [command, ...args], {
    env: trainerEnvironment(location),
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  // the trainer may end before it has read the stop command; its exit code says what happened
  child.stdin.on("error", () => {});
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, exitSignal) => resolve({ code, signal: exitSignal }));
  });
  const stop = () => void stopGently(child, exited);
  signal?.addEventListener("abort", stop, { once: true });
  const stderr = collectTail(child.stderr);
  try {
    const failure = await readEvents(child, onEvent);
    const exit = await exited;
    if (exit.code !== 0) throw errorOfExit(exit, failure, stderr());
  } finally {
    signal?.removeEventListener("abort", stop);
    child.kill("SIGKILL");
  }
}

async function readEvents(
  child: TrainerChild,
  onEvent: (event: TrainerEvent) => void,
): Promise<TrainerFailure | undefined> {
  let failure: TrainerFailure | undefined;
  for await (const line of createInterface({ input: child.stdout, crlfDelay: Infinity })) {
    if (line.trim() === "") continue;
    const event = parseTrainerLine(line);
    if (!event) continue;
    if (event.event === "error") failure = event;
    onEvent(event);
  }
  return failure;
}

async function stopGently(child: TrainerChild, exited: Promise<unknown>): Promise<void> {
  const isGone = exited.then(
    () => true,
    () => true,
  );
  child.stdin.write('{"command":"stop"}\n');
  if (await Promise.race([isGone, sleep(STOP_GRACE_MS, false)])) return;
  child.kill("SIGTERM");
  if (await Promise.race([isGone, sleep(TERMINATE_GRACE_MS, false)])) return;
  child.kill("SIGKILL");
}

function errorOfExit(
  exit: { code: number | null; signal: string | null },
  failure: TrainerFailure | undefined,
  stderr: string,
): AppError {
  const options = { hint: failure?.hint, details: { ...exit, trainerCode: failure?.code, stderr } };
  if (exit.code === 4) return new AppError("INTERRUPTED", "Training stopped with a checkpoint", options);
  // the trainer counts a full disk as a place that cannot be written to; whoever frees some space can go on
  if (failure?.code === "DISK_FULL") return new AppError("DISK_FULL", failure.message, options);
  if (failure && exit.code === 2) return new AppError("TRAINER_CONFIG", failure.message, options);
  if (failure && exit.code === 3) {
    const code = DEVICE_CODES.has(failure.code) ? "DEVICE_UNAVAILABLE" : "OUT_OF_MEMORY";
    return new AppError(code, failure.message, options);
  }
  const how = exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
  const why = failure ? `: ${failure.message}` : "";
  return new AppError("TRAINER_CRASHED", `The trainer ${how}${why}`, options);
}

function collectTail(stream: Readable): () => string {
  let tail = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => (tail = (tail + text).slice(-STDERR_TAIL_CHARS)));
  return () => tail;
}
