import { resolve } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import { outputOf, type TrainingRunInput } from "../../shared/contract/job-types.ts";
import type { TrainingRunRow } from "../../shared/contract/training.ts";
import { AppError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import { type Loss, LossName, lossNames, needsReference } from "../../shared/loss.ts";
import type { Db } from "../db/index.ts";
import type { EnqueueRequest, JobQueue } from "../jobs/index.ts";
import { checkOutput } from "./check-output.ts";
import type { TrainingDeps } from "./deps.ts";
import { dropRunFiles, type RunFileRole, runFilesOf } from "./run-files.ts";
import { createRunStore } from "./run-store.ts";
import { parseOverrides } from "./settings.ts";
import { isStillThere, requestKey } from "./request-key.ts";
import { outputRequestOf, trainingRunJob } from "./training-run.ts";
import { verifyAdapterJob } from "./verify-job.ts";

type RunPlace = Pick<TrainingRunRow, "id" | "adapterOut">;

export type Training = ReturnType<typeof createTraining>;

export function createTraining(
  given: Omit<TrainingDeps, "runs"> & { db: Db; enqueue(request: EnqueueRequest): JobId; jobs(): JobQueue },
) {
  const { db, enqueue, jobs, ...rest } = given;
  const deps: TrainingDeps = { ...rest, runs: createRunStore(db, given.clock) };

  const handlers: Omit<
    EngineHandlers["training"],
    "runRecipe" | "resumeRecipe" | "listExperiments" | "space" | "cleanRuns"
  > = {
    async start(input) {
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
        requestKey: null,
      };
      const model = await deps.models.resolveModel(request.model);
      await checkOutput(outputRequestOf(deps, request, model.path));
      const key = await requestKey(deps, request);
      await makeWay(jobs(), key, request.adapterOut);
      const job = { type: "training.run", input: { ...request, requestKey: key }, idempotencyKey: key };
      return { jobId: enqueue(job) };
    },
    listRuns: () => deps.runs.list(),
    getRun({ runId }) {
      const run = deps.runs.get(runId);
      if (!run) throw new AppError("NOT_FOUND", `There is no training run ${runId}`);
      return { ...run, steps: deps.runs.steps(runId), skippedSteps: deps.runs.skippedSteps(runId) };
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
    api: {
      listRuns: () => deps.runs.list(),
      runFiles: (run: RunPlace) => runFilesOf(deps.workspaceDir, run),
      /** Gives the bytes that are free now. */
      dropRunFiles: (run: RunPlace, roles: ReadonlySet<RunFileRole>) => dropRunFiles(deps, run, roles),
    },
  };
}

/**
 * An unfinished training of another request to the same file would write over this one's: it is cancelled. A finished
 * one of this request counts as long as its adapter lies where it was written.
 */
async function makeWay(jobs: JobQueue, key: string, adapterOut: string): Promise<void> {
  for (const job of jobs.unfinished("training.run")) {
    const { adapterOut: other } = job.input as TrainingRunInput; // the queue has parsed it
    if (other === adapterOut && job.idempotencyKey !== key) jobs.cancel(job.id);
  }
  const known = jobs.findByKey(key);
  if (known?.status !== "succeeded") return;
  const { runId, parity } = outputOf(known, "training.run");
  if (parity === "failed" || !(await isStillThere(adapterOut, runId))) jobs.forgetKey(known.id);
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
