/** What the program promises for any input: an answer, soon, in little memory. Returns what is wrong, or nothing. */
import type { Kind } from "./cases.ts";
import type { Outcome } from "./run-trainer.ts";

export type Limits = { seconds: number; memoryMb: number };

export function judge(kind: Kind, outcome: Outcome, { seconds, memoryMb }: Limits): string | undefined {
  if (/AddressSanitizer|runtime error:/.test(outcome.stderr)) return `sanitizer: ${reportOf(outcome.stderr)}`;
  if (outcome.seconds > seconds) return `took ${outcome.seconds} s`;
  if (outcome.signal !== 0) return `ended by signal ${outcome.signal}`;
  if (outcome.strayLine !== undefined) return `stdout has a line that is no event: ${outcome.strayLine}`;
  return judgeAnswer(kind, outcome) ?? judgeMemory(outcome, memoryMb);
}

function judgeAnswer(kind: Kind, { exit, events, wasStopped }: Outcome): string | undefined {
  const last = events.at(-1);
  const errors = events.filter(({ event }) => event === "error");
  const code = String(last?.["code"]);
  switch (exit) {
    case 0:
      return errors.length === 0 && resultEvents.has(String(last?.["event"])) ? undefined : "exit 0 without a result";
    case 2:
    case 3: {
      if (last?.["event"] !== "error" || errors.length !== 1 || !last["message"])
        return `exit ${exit} without one error event`;
      const isResource = code.startsWith("DEVICE") || code === "MEMORY_LIMIT" || code === "OUT_OF_MEMORY";
      if (exit === 3 && !isResource) return `exit 3 with ${code}`;
      // a file has no say in the device and its memory, apart from how long the pairs are
      return exit === 3 && kind !== "config" && kind !== "pairs" ? `exit 3 with ${code} for a ${kind}` : undefined;
    }
    case 4:
      return wasStopped ? undefined : "exit 4 without being stopped";
    default:
      return `exit ${exit} ${code}`;
  }
}

const resultEvents = new Set(["done", "model", "adapter"]);

/** A run that goes ahead has said before how much it needs. */
function judgeMemory({ events, memoryMb }: Outcome, limitMb: number): string | undefined {
  const hello = events.find(({ event }) => event === "hello");
  const announcedMb = Number(hello?.["memory_estimate_mb"] ?? 0) * 1.25;
  return memoryMb > Math.max(limitMb, announcedMb) ? `took ${memoryMb} MB, limit ${limitMb.toFixed(0)}` : undefined;
}

function reportOf(stderr: string): string {
  const lines = stderr.split("\n");
  const start = lines.findIndex((line) => /AddressSanitizer|runtime error:/.test(line));
  const ours = lines.slice(start).find((line) => line.includes("native-trainer/src/"));
  return `${lines[start]?.trim()} ${ours?.trim() ?? ""}`;
}
