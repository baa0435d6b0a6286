import { resolve } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import { AppError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import { newId } from "../lib/ids.ts";
import type { TrainingDeps } from "./deps.ts";
import { experimentJob } from "./experiment.ts";
import { createRunStore } from "./run-store.ts";
import { parseOverrides } from "./settings.ts";
import { type TrainingRunInput, trainingRunJob } from "./training-run.ts";
import { verifyAdapterJob } from "./verify-job.ts";

export type { AdapterCard } from "./adapter-card.ts";
export type { TrainerLocation } from "./trainer-process.ts";
export type { ExperimentOutput, ExperimentRound } from "./experiment.ts";
export type { TrainingRunOutput } from "./training-run.ts";

export function createTraining(
  given: Omit<TrainingDeps, "runs"> & { db: Db; enqueue(request: EnqueueRequest): JobId },
) {
  const { db, enqueue, ...rest } = given;
  const deps: TrainingDeps = { ...rest, runs: createRunStore(db, given.clock) };

  const handlers: EngineHandlers["training"] = {
    start(input) {
      const request: TrainingRunInput = {
        experimentId: null,
        stage: input.stage,
        round: 0,
        model: input.model,
        adapterIn: input.adapter ?? null,
        referenceAdapter: input.stage === "exo" ? (input.adapter ?? null) : null,
        pairs:
          input.pairs === "ledger"
            ? { from: "ledger", stage: input.stage }
            : { from: "file", path: resolve(input.pairs) },
        mask: input.stage === "exo" ? "answer_only" : "none",
        adapterOut: resolve(input.out),
        settings: parseOverrides(input.set ?? {}),
      };
      return { jobId: enqueue({ type: "training.run", input: request }) };
    },
    runRecipe({ recipe, key = newId() }) {
      return {
        jobId: enqueue({ type: "experiment.run", input: { key, recipe }, idempotencyKey: `experiment/${key}` }),
      };
    },
    listRuns: () => deps.runs.list(),
    getRun({ runId }) {
      const run = deps.runs.get(runId);
      if (!run) throw new AppError("NOT_FOUND", `There is no training run ${runId}`);
      return { ...run, steps: deps.runs.steps(runId) };
    },
  };

  return {
    handlers,
    /** The part of the model domain that needs the trainer. */
    verifyAdapter({ adapter, model }: { adapter: string; model: string }): { jobId: JobId } {
      const adapterPath = deps.models.resolveAdapter(adapter).path;
      return { jobId: enqueue({ type: "adapter.verify", input: { adapterPath, model } }) };
    },
    jobs: [trainingRunJob(deps), experimentJob(deps), verifyAdapterJob(deps)],
  };
}
