import type { Iteration, ReflectionDetail } from "../../shared/contract/reflection.ts";

export type StopReason = NonNullable<ReflectionDetail["stopReason"]>;

/** Kept with the reflection, so that a replay stops at the same place. */
export type StopLimits = {
  /** Converged: thinking and answer are both at least this similar to those before. */
  convergedSimilarity: number;
  /** Degraded: share of repeated 4-grams in the answer, when it has grown. */
  degradedRepetition: number;
  /** Degraded: the answer has shrunk below this share of the one before. */
  degradedLengthShare: number;
};

export const DEFAULT_STOP_LIMITS: StopLimits = {
  convergedSimilarity: 0.985,
  degradedRepetition: 0.35,
  degradedLengthShare: 0.2,
};

/** Why no further iteration follows this one; null when there is no reason to stop. Worse comes before alike. */
export function stopReason(
  current: Pick<Iteration, "index" | "metrics">,
  previous: Pick<Iteration, "metrics"> | null,
  nIterations: number,
  limits: StopLimits,
): StopReason | null {
  if (previous !== null && isDegraded(current.metrics, previous.metrics, limits)) return "degraded";
  if (isConverged(current.metrics, limits)) return "converged";
  return current.index >= nIterations ? "n_reached" : null;
}

type Metrics = Iteration["metrics"];

function isDegraded(current: Metrics, previous: Metrics, limits: StopLimits): boolean {
  const isLooping = current.repetition >= limits.degradedRepetition && current.repetition > previous.repetition;
  return isLooping || current.nAnswerWords < previous.nAnswerWords * limits.degradedLengthShare;
}

function isConverged(metrics: Metrics, limits: StopLimits): boolean {
  if (metrics.changedShare === 0) return true;
  const { thinkingSimilarity, answerSimilarity } = metrics;
  if (thinkingSimilarity === null || answerSimilarity === null) return false;
  return Math.min(thinkingSimilarity, answerSimilarity) >= limits.convergedSimilarity;
}
