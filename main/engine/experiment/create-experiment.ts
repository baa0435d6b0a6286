import { statfs } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import { isAppError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import { newId } from "../lib/ids.ts";
import { readRecipe, type Recipe, type RecipeFile, recipeSha256, recipeSource } from "../recipe/index.ts";
import { adapterBytesOf } from "../training/index.ts";
import { estimateDisk } from "./disk-estimate.ts";
import { createExperimentList, type KnownExperiment } from "./experiment-store.ts";
import { type ExperimentDeps, experimentJob } from "./experiment.ts";
import { cleanRuns, runSpace } from "./run-space.ts";
import { chooseRun, describeRun } from "./resume.ts";

type Handlers = Pick<
  EngineHandlers["training"],
  "runRecipe" | "resumeRecipe" | "listExperiments" | "space" | "cleanRuns"
>;

export function createExperiment(deps: ExperimentDeps & { db: Db; enqueue(request: EnqueueRequest): JobId }) {
  const experiments = createExperimentList(deps.db);
  // under its key a finished or running job is found again, and one that failed is followed by a new one
  const enqueue = (key: string, recipe: string) =>
    deps.enqueue({ type: "experiment.run", input: { key, recipe }, idempotencyKey: `experiment/${key}` });

  const begin = async (key: string, recipe: string, file: RecipeFile) => {
    const opened = deps.preference.openExperiment(key, () => file);
    const disk = await estimate(deps, opened.recipe);
    const notes = opened.changes.map((change) => `the recipe is of an earlier version: ${change}`);
    return { jobId: enqueue(key, recipe), experimentId: opened.experimentId, notes, disk };
  };

  const handlers: Handlers = {
    async runRecipe({ recipe, key, roles = {} }) {
      const file = withRoles(readRecipe(recipe, deps.recipesDir), roles);
      const underWay = key === undefined ? experiments.all().find((known) => isUnderWay(known, file)) : undefined;
      // the same command after Ctrl-C goes on with what the engine has begun to go on with
      if (underWay) {
        const { jobId, experimentId } = underWay;
        const note = `a run of this recipe is under way; this goes on with it, ${describeRun(underWay)}`;
        return { jobId, experimentId, notes: [note], disk: null };
      }
      return begin(key ?? newId(), recipe, file);
    },
    resumeRecipe({ recipe }) {
      const named = {
        reference: recipe,
        source: recipeSource(recipe),
        sha256: recipeSha256(recipe, deps.recipesDir),
      };
      const { experiment, notes } = chooseRun(experiments.all(), named);
      const { experimentId, key, source } = experiment;
      return { jobId: enqueue(key, source ?? recipe), experimentId, notes, disk: null };
    },
    listExperiments: () =>
      experiments.all().map(({ sourceSha256: _sha256, roles: _roles, keep: _keep, ...row }) => row),
    space: ({ keep }) => runSpace({ training: deps.training, experiments }, keep),
    cleanRuns: ({ keep }) => cleanRuns({ training: deps.training, experiments }, keep),
  };
  return { handlers, jobs: [experimentJob(deps)] };
}

/** Null while the policy's file is not there: the job says so, with the role. */
async function estimate({ models, workspaceDir }: ExperimentDeps, recipe: Recipe) {
  const [stage] = recipe.stages;
  if (!stage) throw new Error("a recipe has at least one stage");
  try {
    const { path } = await models.resolveModel(recipe.roles.policy);
    const { bavail, bsize } = await statfs(workspaceDir);
    return { ...estimateDisk(recipe, await adapterBytesOf(path, stage.lora)), freeBytes: bavail * bsize };
  } catch (error) {
    if (isAppError(error, "MODEL_NOT_FOUND")) return null;
    throw error;
  }
}

/** Only the roles that are named: the others stay the recipe's. */
function withRoles(file: RecipeFile, given: { [K in keyof Recipe["roles"]]?: string | undefined }): RecipeFile {
  const { teacher, policy, critic } = file.recipe.roles;
  const roles = { teacher: given.teacher ?? teacher, policy: given.policy ?? policy, critic: given.critic ?? critic };
  return { ...file, recipe: { ...file.recipe, roles } };
}

function isUnderWay({ status, source, sourceSha256, roles }: KnownExperiment, file: RecipeFile): boolean {
  if (status !== "running" && status !== "queued") return false;
  const isSameFile = source === file.source && (sourceSha256 ?? file.sha256) === file.sha256;
  return isSameFile && isDeepStrictEqual(roles, file.recipe.roles);
}
