/** Runs the trainer on one case and says what it did. */
import { spawn } from "node:child_process";

export type Outcome = {
  exit: number;
  signal: number;
  seconds: number;
  memoryMb: number;
  events: Record<string, unknown>[];
  /** A line of stdout that is no event. */
  strayLine: string | undefined;
  stderr: string;
  wasStopped: boolean;
};

export type RunOptions = { measure: string; trainer: string; args: string[]; cwd: string; limitSeconds: number };

const sanitizerOptions = {
  // a refused allocation is answered in the program, as without the sanitizer; freed memory is not hoarded
  ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1:exitcode=99:quarantine_size_mb=16",
  UBSAN_OPTIONS: "print_stacktrace=1",
};

/** A run that is valid and long (a config with a million steps) is asked to stop after a moment. */
const stopAfterMs = 1500;

export function runTrainer({ measure, trainer, args, cwd, limitSeconds }: RunOptions): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(measure, [String(limitSeconds), trainer, ...args], {
      cwd,
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      env: { ...process.env, ...sanitizerOptions },
    });
    const texts = ["", "", "", ""];
    for (const n of [1, 2, 3]) child.stdio[n]?.on("data", (data: Buffer) => (texts[n] += data.toString()));
    let wasStopped = false;
    const timer = setTimeout(() => {
      wasStopped = true;
      child.stdin?.write('{"command":"stop"}\n');
    }, stopAfterMs);
    child.stdin?.on("error", () => {}); // the trainer may be gone by then
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      if (!texts[3]) return reject(new Error(`${measure} gave no answer: ${texts[2]}`));
      const measured = JSON.parse(texts[3]) as Pick<Outcome, "exit" | "signal" | "seconds" | "memoryMb">;
      resolve({ ...measured, ...readEvents(texts[1] ?? ""), stderr: texts[2] ?? "", wasStopped });
    });
  });
}

function readEvents(text: string): Pick<Outcome, "events" | "strayLine"> {
  const events: Outcome["events"] = [];
  let strayLine: string | undefined;
  for (const line of text.split("\n").slice(0, -1)) {
    try {
      events.push(JSON.parse(line) as Outcome["events"][number]);
    } catch {
      strayLine ??= line.slice(0, 200);
    }
  }
  return { events, strayLine };
}
