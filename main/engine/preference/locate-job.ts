import { z } from "zod";
import type { PairRow, Statement, ThinkingSection } from "../../shared/contract/preference.ts";
import { isAppError } from "../../shared/errors.ts";
import { defineJob, type JobContext } from "../jobs/index.ts";
import type { PreferenceDeps } from "./deps.ts";
import type { ExperimentStore } from "./experiment-store.ts";
import { experimentRecipe } from "./experiment.ts";
import { createLocate, type Locate } from "./generate/locate-statement.ts";
import { chunkPassage, type Passage, widenedPassage } from "./generate/passage.ts";
import type { PreferenceStore, UnlocatedPair } from "./preference-store.ts";

export const LOCATE_JOB = "preference.locate";

/**
 * Pairs of earlier versions do not say which sentences their statements rest on. They are looked for in what the
 * teacher was shown; a statement that is not found stays one whose source is not known.
 */
export function locateJob(deps: PreferenceDeps, store: PreferenceStore, experiments: ExperimentStore) {
  return defineJob({
    type: LOCATE_JOB,
    lane: "cpu",
    recovery: "requeue",
    input: z.strictObject({}),
    title: () => "Find the sentences that earlier pairs rest on",
    run: (context) => locateEarlier(deps, store, experiments, context),
  });
}

async function locateEarlier(
  deps: PreferenceDeps,
  store: PreferenceStore,
  experiments: ExperimentStore,
  { signal, progress }: JobContext<Record<string, never>>,
): Promise<{ nStatements: number; nLocated: number }> {
  const total = store.countUnlocated();
  const counts = { nStatements: 0, nLocated: 0 };
  for (let n = 0; ; n++) {
    const pair = store.nextUnlocated();
    if (!pair) break;
    signal.throwIfAborted();
    progress({ n, total, unit: "pairs", message: pair.question });
    const thinking = withSpans(pair.thinking, createLocate(contextOf(deps, experiments, pair)));
    store.setLocated(pair.id, thinking);
    if (pair.status === "accepted") await deps.onPair({ ...pair, thinking }, signal);
    deps.emit("preference.changed", { pairIds: [pair.id] });
    const statements = thinking.flatMap((section) => section.statements);
    counts.nStatements += statements.length;
    counts.nLocated += statements.filter(({ spans }) => spans !== null).length;
    // lets the engine answer others between two pairs
    await new Promise((resolve) => setImmediate(resolve));
  }
  progress({ n: total, total, unit: "pairs", message: "Done" });
  return counts;
}

function withSpans(thinking: readonly ThinkingSection[], locate: Locate): ThinkingSection[] {
  const located = (statement: Statement): Statement => {
    const spans = statement.spans ?? locate(statement.text);
    return { text: statement.text, spans: spans.length > 0 ? spans : null };
  };
  return thinking.map(({ name, statements }) => ({ name, statements: statements.map(located) }));
}

/** What the teacher was shown, as it stands on the pages; without what the corpus has no more. */
function contextOf({ corpus }: PreferenceDeps, experiments: ExperimentStore, pair: UnlocatedPair): Passage[] {
  const sourceTokens = sourceTokensOf(experiments, pair.experimentId);
  if (sourceTokens === null) return [];
  return pair.sources.flatMap(({ chunkId, role }: PairRow["sources"][number]) => {
    try {
      return role === "source"
        ? [widenedPassage(corpus.widenChunk(chunkId, sourceTokens))]
        : [chunkPassage(corpus.getChunk(chunkId))];
    } catch (error) {
      if (isAppError(error, "NOT_FOUND")) return [];
      throw error;
    }
  });
}

/** Null for an import, which no recipe has made: nobody knows what its teacher was shown. */
function sourceTokensOf(experiments: ExperimentStore, experimentId: string): number | null {
  try {
    return experimentRecipe(experiments, experimentId).retrieval.sourceTokens;
  } catch (error) {
    if (isAppError(error, "NOT_FOUND") || isAppError(error, "VALIDATION_FAILED")) return null;
    throw error;
  }
}
