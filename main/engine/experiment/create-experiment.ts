import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { JobInput } from "../../shared/contract/job-types.ts";
import type { JobQueue } from "../jobs/index.ts";
import { newId } from "../lib/ids.ts";
import { type ExperimentDeps, experimentJob } from "./experiment.ts";

export function createExperiment(deps: ExperimentDeps & { jobs(): JobQueue }) {
  /** Without a key, a run of this recipe that is under way is meant: the same command after Ctrl-C goes on with it. */
  const runRecipe: EngineHandlers["training"]["runRecipe"] = ({ recipe, key }) => {
    const jobs = deps.jobs();
    const isSame = (input: unknown) => (input as JobInput<"experiment.run">).recipe === recipe; // the queue has parsed it
    const underWay =
      key === undefined ? jobs.unfinished("experiment.run").find(({ input }) => isSame(input)) : undefined;
    if (underWay) return { jobId: underWay.id };
    const input = { key: key ?? newId(), recipe };
    return { jobId: jobs.enqueue({ type: "experiment.run", input, idempotencyKey: `experiment/${input.key}` }) };
  };
  return { handlers: { runRecipe }, jobs: [experimentJob(deps)] };
}
