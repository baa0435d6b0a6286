import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { AppError, isAppError } from "../../shared/errors.ts";
import { Recipe } from "./recipe.ts";
import { upgradeRecipe } from "./upgrade.ts";

/** A recipe as it was read, with what tells it again. */
export type RecipeFile = {
  recipe: Recipe;
  /** What an upgrade from an earlier version changed, in words. */
  changes: string[];
  /** The name of a recipe that comes with the program, or the file's absolute path. */
  source: string;
  sha256: string;
};

/** A recipe by the name of one that comes with the program, or by the path of a YAML file. Errors: NOT_FOUND, VALIDATION_FAILED. */
export function readRecipe(pathOrName: string, recipesDir: string): RecipeFile {
  const path = pathOf(pathOrName, recipesDir);
  const text = readText(path, pathOrName, recipesDir);
  return { ...parseRecipe(text, path), source: recipeSource(pathOrName), sha256: sha256Of(text) };
}

export function loadRecipe(pathOrName: string, recipesDir: string): Recipe {
  return readRecipe(pathOrName, recipesDir).recipe;
}

/** The hash of a recipe as it lies there now; null when it cannot be read. */
export function recipeSha256(pathOrName: string, recipesDir: string): string | null {
  try {
    return sha256Of(readText(pathOf(pathOrName, recipesDir), pathOrName, recipesDir));
  } catch (error) {
    if (isAppError(error, "NOT_FOUND")) return null;
    throw error;
  }
}

/** The same name for the same recipe, from wherever it is given. */
export function recipeSource(pathOrName: string): string {
  return isName(pathOrName) ? pathOrName : resolve(pathOrName);
}

export function parseRecipe(text: string, path: string): { recipe: Recipe; changes: string[] } {
  const document = parseDocument(text);
  const [syntaxError] = document.errors;
  if (syntaxError) throw invalid(`The recipe ${path}`, syntaxError.message, syntaxError);
  return checkRecipe(document.toJS(), `The recipe ${path}`);
}

/** A recipe of any version as one of the present. Errors: VALIDATION_FAILED. */
export function checkRecipe(value: unknown, what: string): { recipe: Recipe; changes: string[] } {
  const { recipe, changes } = upgradeRecipe(value);
  const parsed = Recipe.safeParse(recipe);
  if (!parsed.success) throw invalid(what, z.prettifyError(parsed.error), parsed.error);
  return { recipe: parsed.data, changes };
}

function pathOf(pathOrName: string, recipesDir: string): string {
  return isName(pathOrName) ? join(recipesDir, `${pathOrName}.yaml`) : resolve(pathOrName);
}

function sha256Of(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function isName(pathOrName: string): boolean {
  return /^[\w-]+$/.test(pathOrName);
}

function readText(path: string, pathOrName: string, recipesDir: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const names = readdirSync(recipesDir)
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => file.slice(0, -5));
    throw new AppError("NOT_FOUND", `There is no recipe ${pathOrName}`, {
      hint: `Give the path of a YAML file, or one of the recipes that come with the program: ${names.join(", ")}.`,
      cause,
    });
  }
}

function invalid(what: string, problems: string, cause: unknown): AppError {
  return new AppError("VALIDATION_FAILED", `${what} is not valid: ${problems}`, {
    hint: "Put the named lines right. The recipes that come with the program show every key.",
    cause,
  });
}
