import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { createExperiment } from "../../../main/engine/experiment/index.ts";
import { defineJob } from "../../../main/engine/jobs/index.ts";
import { loadRecipe } from "../../../main/engine/recipe/index.ts";
import { CHECKPOINT_ADAPTERS } from "../../../main/engine/training/index.ts";
import { dropRunFiles, runFilesOf } from "../../../main/engine/training/run-files.ts";
import { createRunStore } from "../../../main/engine/training/run-store.ts";
import {
  type ExperimentOutput,
  JobInputs,
  type TrainingRunInput,
  type TrainingRunOutput,
} from "../../../main/shared/contract/job-types.ts";
import type { Keep } from "../../../main/shared/contract/training.ts";
import { lossLabel } from "../../../main/shared/loss.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import type { Script } from "../../harness/scripted-runner.ts";
import { goodScript, newDir, openWorkspace } from "../preference/support.ts";

export const recipesDir = join(import.meta.dirname, "../../../resources/recipes");

const MANNERS = ["in general", "in practice", "at all", "in detail", "in the end", "as a rule", "by itself", "so well"];

/** The well-behaved teacher of three questions asks each of them in several manners, so that none is the same again. */
export function inquisitiveScript(): Script {
  let n = 0;
  return (request, i) => {
    const text = goodScript(request, i);
    if (request.prefill !== "Question:" || typeof text !== "string") return text;
    return text.replace("?", ` ${MANNERS[n++ % MANNERS.length]}?`);
  };
}

/**
 * Preference and experiment as they are, on real SQLite, with a scripted teacher and policy. Training is played: its job
 * keeps its run in the real store, and its adapter says what it was trained with.
 */
export function openPipeline(script: Script = inquisitiveScript(), dir = newDir(), train: Train = () => {}) {
  let handlers: ReturnType<typeof createExperiment>["handlers"];
  const trained: TrainingRunInput[] = [];
  const forgotten: string[] = [];
  const workspace = openWorkspace(script, dir, {
    resolveModel: (ref) => ({ name: ref, path: ref, sha256: `sha256 of ${ref}` }),
    jobsAbove({ db, preference, enqueue }) {
      const runs = createRunStore(db, Date.now);
      const experiment = createExperiment({
        db,
        preference: preference.api,
        // only where a model lies is asked
        models: { resolveModel: async (path: string) => ({ path }) } as never,
        training: {
          listRuns: () => runs.list(),
          runFiles: (run) => runFilesOf(dir, run),
          dropRunFiles: (run, roles) =>
            dropRunFiles(
              { workspaceDir: dir, models: { forgetAdapter: (path) => void forgotten.push(path) } },
              run,
              roles,
            ),
        },
        recipesDir,
        workspaceDir: dir,
        enqueue,
      });
      handlers = experiment.handlers;
      const trainingJob = defineJob({
        type: "training.run",
        lane: "gpu",
        recovery: "requeue",
        input: JobInputs["training.run"],
        title: ({ stage }) => `Train ${stage}`,
        async run({ input, jobId, signal }): Promise<TrainingRunOutput> {
          const { adapterIn, adapterOut, settings } = input;
          const loss = lossLabel(settings.loss);
          const run = runs.findOrCreate({ ...input, jobId, loss, modelPath: input.model, modelName: input.model });
          await train(input, signal);
          const before = adapterIn === null ? "" : readFileSync(adapterIn, "utf8");
          const adapter = `${before}${JSON.stringify({ ...settings, mask: input.mask })}\n`;
          mkdirSync(dirname(adapterOut), { recursive: true });
          mkdirSync(join(dir, "runs", run.id), { recursive: true });
          writeFileSync(join(dir, "runs", run.id, "checkpoint.gguf"), adapter.repeat(CHECKPOINT_ADAPTERS));
          writeFileSync(join(dir, "runs", run.id, "adapter.gguf"), adapter);
          writeFileSync(join(dir, "runs", run.id, "config.json"), "{}");
          writeFileSync(adapterOut, adapter);
          trained.push(input);
          runs.finish(run.id, "succeeded", adapterOut, null);
          return {
            runId: run.id,
            adapterPath: adapterOut,
            nSteps: 1,
            firstLoss: 2,
            lastLoss: 1,
            parity: "passed",
            pairProblems: [],
          };
        },
      });
      return [...experiment.jobs, trainingJob];
    },
  });
  const signal = new AbortController().signal;
  type RunInput = Parameters<typeof handlers.runRecipe>[0];
  return {
    ...workspace,
    /** What was trained by this process, in order. */
    trained,
    /** Adapters whose file is gone. */
    forgotten,
    start: async (input: RunInput) => handlers.runRecipe(input, signal),
    resume: async (recipe: string) => handlers.resumeRecipe({ recipe }, signal),
    experiments: async () => handlers.listExperiments({}, signal),
    space: async (input: { keep?: Keep } = {}) => handlers.space(input, signal),
    clean: async (input: { keep?: Keep } = {}) => handlers.cleanRuns(input, signal),
    finish: async ({ jobId }: { jobId: JobId | string }) =>
      (await workspace.jobs.wait(jobId as JobId)).output as ExperimentOutput,
  };
}
export type Pipeline = ReturnType<typeof openPipeline>;
type Train = (input: TrainingRunInput, signal: AbortSignal) => Promise<void> | void;

type Draft = ReturnType<typeof loadRecipe>;

/** The demo's recipe with these stages (whatever differs from the demo's first one) and one pair a round. */
export function writeRecipe(
  dir: string,
  stages: Partial<Draft["stages"][number]>[],
  change: Partial<Draft> = {},
): string {
  const demo = loadRecipe("demo", recipesDir);
  const base = { ...demo.stages[0]!, rounds: 1, pairsPerRound: 1 };
  const recipe = { ...demo, name: "small", stages: stages.map((stage) => ({ ...base, ...stage })), ...change };
  const path = join(dir, "recipe.yaml");
  if (!existsSync(dir)) mkdirSync(dir, { recursive: true });
  writeFileSync(path, stringify(recipe));
  return path;
}
