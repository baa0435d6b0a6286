import { createHash } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { checkRecipe, type Recipe, type RecipeFile } from "../recipe/index.ts";
import type { ExperimentStore } from "./experiment-store.ts";

export type OpenedExperiment = {
  experimentId: string;
  recipe: Recipe;
  /** What upgrades of its recipe changed, in words. */
  changes: string[];
};

/** The id follows from the key, so that the same key and recipe ask the same in every workspace with the same corpus. */
function experimentIdOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 32);
}

/** The experiment known under the key with the recipe that it began with, or a new one of the recipe that is read. */
export function openExperiment(store: ExperimentStore, key: string, read: () => RecipeFile): OpenedExperiment {
  const id = experimentIdOf(key);
  if (!store.get(id)) {
    const { recipe, changes, source, sha256 } = read();
    store.open({ id, key, recipe, name: recipe.name, source, sourceSha256: sha256, changes });
  }
  return upToDate(store, id);
}

/** The recipe that the experiment began with, in its present form. Errors: NOT_FOUND, VALIDATION_FAILED. */
export function experimentRecipe(store: ExperimentStore, experimentId: string): Recipe {
  return upToDate(store, experimentId).recipe;
}

/** The experiment with its recipe upgraded where it is of an earlier version; what that changes is kept with it. */
function upToDate(store: ExperimentStore, id: string): OpenedExperiment {
  const stored = store.get(id);
  if (!stored) throw new AppError("NOT_FOUND", `There is no experiment ${id}`);
  const { recipe, changes } = checkRecipe(stored.recipe, "The experiment's recipe");
  const all = [...stored.changes, ...changes];
  if (changes.length > 0) store.setRecipe(id, recipe, all);
  return { experimentId: id, recipe, changes: all };
}
