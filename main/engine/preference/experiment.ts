import { createHash, randomInt } from "node:crypto";
import type { z } from "zod";
import type { preference } from "../../shared/contract/preference.ts";
import { AppError } from "../../shared/errors.ts";
import { isSmallModel } from "../asking/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import type { PreferenceDeps } from "./deps.ts";
import type { GenerateInput } from "../../shared/contract/job-types.ts";
import type { PreferenceStore } from "./preference-store.ts";
import { checkRecipe, loadRecipe, type Recipe, stageOf } from "../recipe/index.ts";

/** The id follows from the key, so that the same key and recipe ask the same in every workspace with the same corpus. */
export function openExperiment(
  store: PreferenceStore,
  key: string,
  recipe: Recipe,
): { experimentId: string; recipe: Recipe } {
  const experimentId = createHash("sha256").update(key).digest("hex").slice(0, 32);
  store.openExperiment({ id: experimentId, key, recipe });
  return { experimentId, recipe: experimentRecipe(store, experimentId) };
}

/** The recipe that the experiment began with. */
export function experimentRecipe(store: PreferenceStore, experimentId: string): Recipe {
  const stored = store.experimentRecipe(experimentId);
  if (stored === undefined) throw new AppError("NOT_FOUND", `There is no experiment ${experimentId}`);
  return checkRecipe(stored, "The experiment's recipe").recipe;
}

/**
 * `pairs generate`: an experiment of one round. With a seed, the same settings mean the same experiment: asked again it
 * goes on where it was, and a larger count adds to it.
 */
export async function generateRequest(
  deps: PreferenceDeps,
  store: PreferenceStore,
  input: z.output<typeof preference.generate.input>,
): Promise<EnqueueRequest & { input: GenerateInput }> {
  const base = loadRecipe(input.recipe ?? (await fittingRecipe(deps, input.teacher ?? input.policy)), deps.recipesDir);
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
  const { experimentId } = openExperiment(store, key, recipe);
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

async function fittingRecipe(deps: PreferenceDeps, model: string | undefined): Promise<string> {
  if (model === undefined) return "demo";
  const { facts } = await deps.models.resolveModel(model);
  return isSmallModel(facts) ? "demo" : "workstation";
}
