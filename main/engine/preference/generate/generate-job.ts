import { type GenerateInput, type GenerateOutput, JobInputs } from "../../../shared/contract/job-types.ts";
import type { PairRow } from "../../../shared/contract/preference.ts";
import { AppError } from "../../../shared/errors.ts";
import { filterReasons } from "../../../shared/filter-reasons.ts";
import { defineJob, type JobContext } from "../../jobs/index.ts";
import { prepareAttempts } from "./attempt.ts";
import type { PreferenceDeps } from "../deps.ts";
import { experimentRecipe } from "../experiment.ts";
import type { ExperimentStore } from "../experiment-store.ts";
import type { Recipe } from "../../recipe/index.ts";
import type { PreferenceStore } from "../preference-store.ts";

const MAX_ROWS_IN_OUTPUT = 500;

/**
 * Makes attempts at pairs until the round has as many accepted ones as asked for. Every attempt is a row of the ledger
 * under its ordinal, so an interrupted round goes on behind its last row.
 */
export function generateJob(deps: PreferenceDeps, store: PreferenceStore, experiments: ExperimentStore) {
  return defineJob({
    type: "preference.generate",
    lane: "gpu",
    recovery: "requeue",
    input: JobInputs["preference.generate"],
    title: ({ count, stage, round }) => `Generate ${count} pairs for stage ${stage}, round ${round + 1}`,
    run: (context) => generateRound(deps, store, experimentRecipe(experiments, context.input.experimentId), context),
  });
}

async function generateRound(
  deps: PreferenceDeps,
  store: PreferenceStore,
  recipe: Recipe,
  context: JobContext<GenerateInput>,
): Promise<GenerateOutput> {
  const { input, signal } = context;
  const rows = store.round(input);
  const nMaxAttempts = input.count * recipe.maxAttemptsPerPair;
  const report = (message: string) =>
    context.progress({ n: accepted(rows).length, total: input.count, unit: "pairs", message });

  // the program may have died between a row and its follow-up; the follow-up may be repeated
  for (const row of accepted(rows)) await deps.onPair(row, signal);
  report("");
  if (accepted(rows).length >= input.count) return outputOf(input, rows);

  const makeAttempt = await prepareAttempts(deps, store, { ...input, recipe }, signal);
  while (accepted(rows).length < input.count) {
    signal.throwIfAborted();
    if (rows.length >= nMaxAttempts) {
      if (accepted(rows).length >= (input.minAccepted ?? input.count)) break;
      throw tooManyFiltered(rows, input.count);
    }
    const row = await makeAttempt(rows.length);
    if (!row) throw noSource();
    rows.push(row);
    deps.emit("preference.changed", { pairIds: [row.id] });
    if (row.status === "accepted") await deps.onPair(row, signal);
    report(describe(row));
  }
  return outputOf(input, rows);
}

function accepted(rows: readonly PairRow[]): PairRow[] {
  return rows.filter((row) => row.status === "accepted");
}

function outputOf({ experimentId, count }: GenerateInput, rows: readonly PairRow[]): GenerateOutput {
  const taken = accepted(rows).slice(0, count);
  return {
    experimentId,
    nAsked: count,
    nAccepted: taken.length,
    nAttempts: rows.length,
    filterCounts: countReasons(rows),
    rows: taken.slice(0, MAX_ROWS_IN_OUTPUT),
  };
}

function countReasons(rows: readonly PairRow[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { filterReason } of rows) if (filterReason) counts[filterReason] = (counts[filterReason] ?? 0) + 1;
  return counts;
}

function describe(row: PairRow): string {
  if (row.filterReason === null) return row.question;
  // the column holds nothing but these codes for pairs made here
  return `Filtered: ${filterReasons[row.filterReason as keyof typeof filterReasons] ?? row.filterReason}`;
}

function tooManyFiltered(rows: readonly PairRow[], count: number): AppError {
  const nAccepted = accepted(rows).length;
  const filterCounts = countReasons(rows);
  const reasons = Object.entries(filterCounts)
    .map(([reason, n]) => `${reason} × ${n}`)
    .join(", ");
  return new AppError("GENERATION_FAILED", `${rows.length} attempts gave ${nAccepted} of ${count} pairs (${reasons})`, {
    hint: "Add papers, use a larger teacher, or relax the filter that is named most often in the recipe.",
    details: { nAttempts: rows.length, nAccepted, filterCounts },
  });
}

function noSource(): AppError {
  return new AppError("GENERATION_FAILED", "The corpus has no passage to ask a question about", {
    hint: "Import papers with readable text first. A passage needs a few whole sentences.",
    details: { filterCounts: { no_source: 1 } },
  });
}
