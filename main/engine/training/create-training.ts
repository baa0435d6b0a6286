import { resolve } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import { AppError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import { type Loss, LossName, lossNames, needsReference } from "../../shared/loss.ts";
import type { Db } from "../db/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import type { TrainingDeps } from "./deps.ts";
import { createRunStore } from "./run-store.ts";
import { parseOverrides } from "./settings.ts";
import { type TrainingRunInput, trainingRunJob } from "./training-run.ts";
import { verifyAdapterJob } from "./verify-job.ts";

export type Training = ReturnType<typeof createTraining>;

export function createTraining(
  given: Omit<TrainingDeps, "runs"> & { db: Db; enqueue(request: EnqueueRequest): JobId },
) {
  const { db, enqueue, ...rest } = given;
  const deps: TrainingDeps = { ...rest, runs: createRunStore(db, given.clock) };

  const handlers: Omit<EngineHandlers["training"], "runRecipe"> = {
    start(input) {
      const loss = lossOf(input);
      const hasReference = needsReference(loss);
      const request: TrainingRunInput = {
        experimentId: null,
        stage: input.stage ?? lossNames(loss).join("-"),
        stageIndex: 0,
        round: 0,
        model: input.model,
        adapterIn: input.adapter ?? null,
        referenceAdapter: hasReference ? (input.adapter ?? null) : null,
        pairs:
          input.pairs === "ledger"
            ? { from: "ledger", ...(input.stage === undefined ? {} : { stage: input.stage }) }
            : { from: "file", path: resolve(input.pairs) },
        // a loss that refines against a reference leaves the thinking free (METHOD §4)
        mask: hasReference ? "answer_only" : "none",
        adapterOut: resolve(input.out),
        settings: { loss, ...parseOverrides(input.set ?? {}) },
      };
      return { jobId: enqueue({ type: "training.run", input: request }) };
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
    jobs: [trainingRunJob(deps), verifyAdapterJob(deps)],
  };
}

/** The loss that is named, or the one that the stage is called after. Errors: VALIDATION_FAILED. */
function lossOf({ loss, stage }: { loss?: Loss | undefined; stage?: string | undefined }): Loss {
  if (loss !== undefined) return loss;
  const named = LossName.safeParse(stage);
  if (named.success) return named.data;
  throw new AppError("VALIDATION_FAILED", stage === undefined ? "No loss is named" : `${stage} is no loss`, {
    hint: `Name the loss to train with, one of: ${LossName.options.join(", ")}.`,
  });
}
