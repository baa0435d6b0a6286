import type { Iteration, ReflectionDetail } from "../../main/shared/contract/reflection.ts";
import type { ReflectionPart } from "./routes.ts";

/** The text of one part. From iteration 1 on the thinking is what the critic made of it: the answer was written from that. */
export function partOf(iteration: Iteration, part: ReflectionPart): string {
  if (part === "thinking") return iteration.improvedThinking ?? iteration.thinking;
  return part === "answer" ? iteration.answer : iteration.reflection;
}

export function nameOfIteration(index: number): string {
  return index === 0 ? "Draft" : `Iteration ${index}`;
}

export const STOP_REASONS: Record<NonNullable<ReflectionDetail["stopReason"]>, string> = {
  n_reached: "all iterations done",
  converged: "stopped: the answer no longer changes",
  degraded: "stopped: the answer was getting worse",
};

/** What is worth saying about an iteration at a glance; null when there is nothing to worry about. */
export function warningOf({ metrics, problems }: Iteration): string | null {
  if (problems.length > 0) return problems.length === 1 ? "1 problem of form" : `${problems.length} problems of form`;
  if (metrics.repetition > 0.2) return "repeats itself";
  if (metrics.nAnswerWords === 0) return "no answer";
  return null;
}
