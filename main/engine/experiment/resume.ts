import { AppError } from "../../shared/errors.ts";
import { recipeSource } from "../recipe/index.ts";
import type { KnownExperiment } from "./experiment-store.ts";

/** The recipe that the user names, as it is now; no hash when its file is gone. */
export type NamedRecipe = { reference: string; source: string; sha256: string | null };

/**
 * Which run of a recipe to go on with: the newest unfinished one whose recipe came from the same place, or had the same
 * content wherever it lay. Without one the newest that has finished, whose result is then given again.
 * Errors: NOT_FOUND, with what could be gone on with.
 */
export function chooseRun(
  experiments: readonly KnownExperiment[],
  named: NamedRecipe,
): { experiment: KnownExperiment; notes: string[] } {
  const runs = experiments.filter((experiment) => isOf(experiment, named));
  const unfinished = runs.filter(({ status }) => status !== "succeeded");
  const experiment = unfinished[0] ?? runs[0];
  if (!experiment) throw nothingToGoOnWith(experiments, named);
  const notes: string[] = [];
  if (unfinished.length > 1)
    notes.push(
      `${unfinished.length} runs of this recipe are unfinished; this is the newest, ${describeRun(experiment)}`,
    );
  if (unfinished.length === 0)
    notes.push(`every run of this recipe has finished; this is the newest, ${describeRun(experiment)}`);
  if (named.sha256 && experiment.sourceSha256 && named.sha256 !== experiment.sourceSha256)
    notes.push("the recipe's file has changed since the run began; the run keeps the recipe that it began with");
  return { experiment, notes };
}

function isOf(experiment: KnownExperiment, { source, sha256 }: NamedRecipe): boolean {
  // version 0.1.0 kept a path as it was typed
  if (experiment.source !== null && recipeSource(experiment.source) === source) return true;
  return sha256 !== null && experiment.sourceSha256 === sha256;
}

function nothingToGoOnWith(experiments: readonly KnownExperiment[], { reference }: NamedRecipe): AppError {
  const others = experiments.filter(({ status, source }) => status !== "succeeded" && source !== null);
  const sources = [...new Set(others.map(({ source }) => source))];
  return new AppError("NOT_FOUND", `There is no run of the recipe ${reference} in this workspace to go on with`, {
    hint:
      sources.length > 0
        ? `Unfinished here: ${sources.join(", ")}. Without --resume a new run begins.`
        : "Without --resume a new run begins.",
  });
}

export function describeRun({ experimentId, createdAt }: KnownExperiment): string {
  return `begun ${new Date(createdAt).toISOString()} (${experimentId})`;
}
