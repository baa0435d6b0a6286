import { create } from "zustand";
import { addSample, type ProgressSample } from "../lib/job-rate.ts";
import type { Engine } from "./connection.ts";

/** What this window has seen of each running job's progress: the rate and the time left are computed from it. */
export const useJobSamples = create<Record<string, ProgressSample[]>>(() => ({}));

export function collectJobSamples(engine: Engine): void {
  engine.on("job.changed", ({ job }) => {
    useJobSamples.setState((all) => {
      if (job.status !== "running") return { [job.id]: [] };
      if (!job.progress) return all;
      return { [job.id]: addSample(all[job.id] ?? [], { at: Date.now(), n: job.progress.n }) };
    });
  });
}
