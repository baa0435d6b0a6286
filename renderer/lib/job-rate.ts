import type { JobProgress } from "../../main/shared/contract/job.ts";

/** How far a job was at a moment. */
export type ProgressSample = { at: number; n: number };

const WINDOW_MS = 30_000;
const MIN_SPAN_MS = 500;

/** The samples of the last half minute; a job that goes back (a retry, a new stage) starts afresh. */
export function addSample(samples: readonly ProgressSample[], sample: ProgressSample): ProgressSample[] {
  const last = samples.at(-1);
  if (last && sample.n < last.n) return [sample];
  return [...samples.filter(({ at }) => sample.at - at <= WINDOW_MS), sample];
}

/** Units per second over the samples; null while too little has been seen to say. */
export function rateOf(samples: readonly ProgressSample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (!first || !last || last.at - first.at < MIN_SPAN_MS || last.n <= first.n) return null;
  return ((last.n - first.n) * 1000) / (last.at - first.at);
}

export function timeLeftMs(progress: JobProgress, unitsPerSecond: number | null): number | null {
  if (progress.total === null || unitsPerSecond === null || unitsPerSecond <= 0) return null;
  return (Math.max(0, progress.total - progress.n) / unitsPerSecond) * 1000;
}
