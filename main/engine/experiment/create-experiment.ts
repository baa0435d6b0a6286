import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { JobId } from "../../shared/ids.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import { newId } from "../lib/ids.ts";
import { type ExperimentDeps, experimentJob } from "./experiment.ts";

export function createExperiment(deps: ExperimentDeps & { enqueue(request: EnqueueRequest): JobId }) {
  const runRecipe: EngineHandlers["training"]["runRecipe"] = ({ recipe, key = newId() }) => ({
    jobId: deps.enqueue({ type: "experiment.run", input: { key, recipe }, idempotencyKey: `experiment/${key}` }),
  });
  return { handlers: { runRecipe }, jobs: [experimentJob(deps)] };
}
