import { createHash, randomInt } from "node:crypto";
import type { z } from "zod";
import type { GenerateInput } from "../../shared/contract/job-types.ts";
import type { preference } from "../../shared/contract/preference.ts";
import { isSmallModel } from "../asking/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import { readRecipe, type Recipe, stageOf } from "../recipe/index.ts";
import type { PreferenceDeps } from "./deps.ts";
import type { ExperimentStore } from "./experiment-store.ts";
import { openExperiment } from "./experiment.ts";

/**
 * `pairs generate`: an experiment of one round. With a seed, the same settings mean the same experiment: asked again it
 * goes on where it was, and a larger count adds to it.
 */
export async function generateRequest(
  deps: PreferenceDeps,
  experiments: ExperimentStore,
  input: z.output<typeof preference.generate.input>,
): Promise<EnqueueRequest & { input: GenerateInput }> {
  const reference = input.recipe ?? (await fittingRecipe(deps, input.teacher ?? input.policy));
  const file = readRecipe(reference, deps.recipesDir);
  const base = file.recipe;
  const seed = input.seed ?? randomInt(2 ** 31);
  const teacher = input.teacher ?? (input.recipe ? base.roles.teacher : (input.policy ?? base.roles.teacher));
  const recipe: Recipe = {
    ...base,
    seed,
    roles: { ...base.roles, teacher, policy: input.policy ?? base.roles.policy },
  };
  const { name: stage } = stageOf(recipe, input.stage ?? recipe.stages[0]!.name);
  const settings = { recipe, stage, policyAdapter: input.adapter ?? null };
  const key = `pairs/${createHash("sha256").update(JSON.stringify(settings)).digest("hex")}`;
  const { experimentId } = openExperiment(experiments, key, () => ({ ...file, recipe }));
  return {
    type: "preference.generate",
    input: {
      experimentId,
      stage,
      round: 0,
      count: input.count,
      policy: recipe.roles.policy,
      policyAdapter: settings.policyAdapter,
    },
  };
}

/** The recipe of the class that the model is of. */
async function fittingRecipe(deps: PreferenceDeps, model: string | undefined): Promise<string> {
  if (model === undefined) return "demo";
  const { facts } = await deps.models.resolveModel(model);
  return isSmallModel(facts) ? "demo" : "workstation";
}
