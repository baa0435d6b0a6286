import { join } from "node:path";
import { lossLabel, stageTitle } from "../../shared/loss.ts";
import {
  type ExperimentOutput,
  type ExperimentRound,
  type JobInput,
  JobInputs,
  type TrainingRunInput,
} from "../../shared/contract/job-types.ts";
import { defineJob, type JobContext } from "../jobs/index.ts";
import type { Models } from "../models/index.ts";
import type { Preference } from "../preference/index.ts";
import type { Recipe, StageRecipe } from "../recipe/index.ts";
import { trainerSettingsOf } from "../training/index.ts";

/** What an experiment is given by createEngine. */
export type ExperimentDeps = { models: Models["api"]; preference: Preference["api"]; workspaceDir: string };

/**
 * A whole recipe: for every stage and round, pairs from the policy as it then is, then training on them. Each part is
 * a job under a key of its own, so an experiment that is run again finds the finished parts and goes on behind them.
 */
export function experimentJob(deps: ExperimentDeps) {
  return defineJob({
    type: "experiment.run",
    lane: "pipeline",
    recovery: "requeue",
    input: JobInputs["experiment.run"],
    title: ({ recipe }) => `Run recipe ${recipe}`,
    run: (context) => runExperiment(deps, context),
  });
}

async function runExperiment(
  deps: ExperimentDeps,
  context: JobContext<JobInput<"experiment.run">>,
): Promise<ExperimentOutput> {
  const { key, recipe: reference } = context.input;
  const { experimentId, recipe } = deps.preference.openExperiment(key, reference);
  const policy = await deps.models.resolveModel(recipe.roles.policy);
  const rounds: ExperimentRound[] = [];
  const total = recipe.stages.reduce((sum, stage) => sum + stage.rounds, 0);
  let adapter: string | null = null;
  for (const [stageIndex, stage] of recipe.stages.entries()) {
    const columns = { stage: stage.name, stageIndex, loss: lossLabel(stage.loss) };
    const referenceAdapter = adapter;
    for (let round = 0; round < stage.rounds; round++) {
      context.progress({
        n: rounds.length,
        total,
        unit: "rounds",
        message: `${stageTitle(columns)} round ${round + 1}`,
      });
      const part = { experimentId, stage: stage.name, round };
      const partKey = `${experimentId}/${stage.name}/${round}`;
      const pairs = await context.runChild({
        type: "preference.generate",
        input: { ...part, count: stage.pairsPerRound, policy: policy.path, policyAdapter: adapter },
        idempotencyKey: `${partKey}/pairs`,
      });
      const input: TrainingRunInput = {
        ...part,
        stageIndex,
        model: policy.path,
        adapterIn: adapter,
        referenceAdapter,
        pairs: { from: "round", ...part },
        mask: stage.mask,
        adapterOut: adapterPath(deps, recipe, stage, round, experimentId),
        settings: trainerSettingsOf(recipe, stage, round),
        requestKey: null,
      };
      const run = await context.runChild({ type: "training.run", input, idempotencyKey: `${partKey}/run` });
      adapter = run.adapterPath;
      rounds.push({ ...columns, round, pairs, run });
    }
  }
  const last = rounds.at(-1);
  if (!last) throw new Error("a recipe has at least one round");
  context.progress({ n: total, total, unit: "rounds", message: "done" });
  return { experimentId, recipe: recipe.name, adapterPath: last.run.adapterPath, rounds, parity: last.run.parity };
}

function adapterPath(deps: ExperimentDeps, recipe: Recipe, stage: StageRecipe, round: number, experimentId: string) {
  const name = `${recipe.name}-${stage.name}-${round + 1}-${experimentId.slice(-6)}.gguf`;
  return join(deps.workspaceDir, "adapters", name);
}
