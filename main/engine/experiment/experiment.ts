import { join } from "node:path";
import { lossLabel, stageTitle } from "../../shared/loss.ts";
import {
  type ExperimentOutput,
  type ExperimentRound,
  type JobInput,
  JobInputs,
  type RoundYield,
  type TrainingRunInput,
  type TrainingRunOutput,
} from "../../shared/contract/job-types.ts";
import { defineJob, type JobContext } from "../jobs/index.ts";
import type { Models } from "../models/index.ts";
import type { Preference } from "../preference/index.ts";
import { readRecipe, type Recipe, type StageRecipe } from "../recipe/index.ts";
import { type Training, trainerSettingsOf } from "../training/index.ts";
import { filesToDrop } from "./keep-files.ts";
import { isEnough, shortfallInWords, stageCameToNothing } from "./yield.ts";

/** What an experiment is given by createEngine. */
export type ExperimentDeps = {
  models: Models["api"];
  preference: Preference["api"];
  training: Training["api"];
  recipesDir: string;
  workspaceDir: string;
};

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

type Context = JobContext<JobInput<"experiment.run">>;

/** What the rounds hand on. */
type Course = {
  experimentId: string;
  recipe: Recipe;
  policy: string;
  rounds: ExperimentRound[];
  /** The newest adapter; null while nothing was trained. */
  trained: TrainingRunOutput | null;
};

async function runExperiment(deps: ExperimentDeps, context: Context): Promise<ExperimentOutput> {
  const { key, recipe: reference } = context.input;
  const { experimentId, recipe, changes } = deps.preference.openExperiment(key, () =>
    readRecipe(reference, deps.recipesDir),
  );
  if (changes.length > 0) context.recordOnce("recipe_upgraded", { changes });
  const models = await deps.preference.resolveRoles(experimentId, recipe);
  const course: Course = { experimentId, recipe, policy: models.policy.path, rounds: [], trained: null };
  for (const [index, stage] of recipe.stages.entries()) {
    await runStage(deps, context, course, { ...stage, index });
  }
  await dropFiles(deps, context, course, { isUnfinished: false });
  const { rounds, trained } = course;
  if (!trained) throw new Error("every stage that ends well has trained");
  context.progress({ n: rounds.length, total: rounds.length, unit: "rounds", message: "done" });
  return { experimentId, recipe: recipe.name, adapterPath: trained.adapterPath, rounds, parity: trained.parity };
}

async function runStage(
  deps: ExperimentDeps,
  context: Context,
  course: Course,
  stage: StageRecipe & { index: number },
): Promise<void> {
  const { recipe, rounds } = course;
  const total = recipe.stages.reduce((sum, { rounds }) => sum + rounds, 0);
  const columns = { stage: stage.name, stageIndex: stage.index, loss: lossLabel(stage.loss) };
  const referenceAdapter = course.trained?.adapterPath ?? null;
  for (let round = 0; round < stage.rounds; round++) {
    const title = `${stageTitle(columns)} round ${round + 1}`;
    const last = rounds.at(-1);
    const shortfall = last && shortfallInWords(last);
    context.progress({
      n: rounds.length,
      total,
      unit: "rounds",
      message: shortfall ? `${title}. ${shortfall}` : title,
    });
    const pairs = await makePairs(context, course, stage, round);
    const isTrained = isEnough(pairs, recipe.minPairsShare);
    const run = isTrained ? await train(deps, context, course, { stage, round, referenceAdapter }) : null;
    const ended = { ...columns, round, pairs, run };
    if (pairs.nAccepted < pairs.nAsked)
      context.recordOnce("round_short", { ...ended, message: shortfallInWords(ended) });
    rounds.push(ended);
    course.trained = run ?? course.trained;
    if (run) await dropFiles(deps, context, course, { isUnfinished: true });
  }
  const own = rounds.slice(-stage.rounds);
  if (own.every(({ run }) => run === null)) throw stageCameToNothing(own, recipe.minPairsShare);
}

/** What no one will read again; done after every round, it finds what a crash has left. */
async function dropFiles(
  { training }: ExperimentDeps,
  context: Context,
  { experimentId, recipe: { keep } }: Course,
  { isUnfinished }: { isUnfinished: boolean },
): Promise<void> {
  const runs = training.listRuns().filter((run) => run.experimentId === experimentId);
  const drops = filesToDrop(runs, { keep, isUnfinished });
  let freedBytes = 0;
  for (const run of runs) freedBytes += await training.dropRunFiles(run, drops.get(run.id) ?? new Set());
  if (freedBytes > 0) context.record("disk_freed", { freedBytes });
}

async function makePairs(
  context: Context,
  { experimentId, policy, trained }: Course,
  stage: StageRecipe,
  round: number,
): Promise<RoundYield> {
  const { nAccepted, nAttempts, filterCounts } = await context.runChild({
    type: "preference.generate",
    input: {
      experimentId,
      stage: stage.name,
      round,
      count: stage.pairsPerRound,
      // what is enough of a round is decided here; a round without a single pair has failed
      minAccepted: 1,
      policy,
      policyAdapter: trained?.adapterPath ?? null,
    },
    idempotencyKey: `${experimentId}/${stage.name}/${round}/pairs`,
  });
  return { nAsked: stage.pairsPerRound, nAccepted, nAttempts, filterCounts };
}

async function train(
  deps: ExperimentDeps,
  context: Context,
  { experimentId, recipe, policy, trained }: Course,
  {
    stage,
    round,
    referenceAdapter,
  }: { stage: StageRecipe & { index: number }; round: number; referenceAdapter: string | null },
): Promise<TrainingRunOutput> {
  const part = { experimentId, stage: stage.name, round };
  const input: TrainingRunInput = {
    ...part,
    stageIndex: stage.index,
    model: policy,
    adapterIn: trained?.adapterPath ?? null,
    referenceAdapter,
    pairs: { from: "round", ...part },
    mask: stage.mask,
    adapterOut: adapterPath(deps, recipe, stage, round, experimentId),
    settings: trainerSettingsOf(recipe, stage, round),
    requestKey: null,
  };
  const idempotencyKey = `${experimentId}/${stage.name}/${round}/run`;
  return context.runChild({ type: "training.run", input, idempotencyKey });
}

function adapterPath(deps: ExperimentDeps, recipe: Recipe, stage: StageRecipe, round: number, experimentId: string) {
  // a recipe may be called what no file can
  const recipeName = recipe.name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
  const name = `${recipeName}-${stage.name}-${round + 1}-${experimentId.slice(-6)}.gguf`;
  return join(deps.workspaceDir, "adapters", name);
}
