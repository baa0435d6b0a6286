import { basename } from "node:path";
import type { PairRow } from "../../../shared/contract/preference.ts";
import { lossLabel } from "../../../shared/loss.ts";
import { type Call, createAsk, loadPromptSet, type Place, promptSetFor } from "../../asking/index.ts";
import type { ModelBinding } from "../../inference/index.ts";
import { sha256OfFile } from "../../lib/files.ts";
import { AppError } from "../../../shared/errors.ts";
import { holdsFor } from "../filters/filter.ts";
import type { PreferenceDeps } from "../deps.ts";
import { generatePair } from "./generate-pair.ts";
import type { PairKey, PreferenceStore } from "../preference-store.ts";
import { provenanceOf, type UsedFile } from "./provenance.ts";
import { resolveRole } from "../roles.ts";
import { type Recipe, stageOf } from "../../recipe/index.ts";
import { grammarWriter } from "./write-by-grammar.ts";

/** Makes attempt number `ordinal` of the round and writes it into the ledger; null when the corpus has no source for it. */
export type MakeAttempt = (ordinal: number) => Promise<PairRow | null>;

/** Resolves once what stays the same for all attempts of a round. */
export async function prepareAttempts(
  deps: PreferenceDeps,
  store: PreferenceStore,
  input: PairKey & { recipe: Recipe; policy: string; policyAdapter: string | null },
  signal: AbortSignal,
): Promise<MakeAttempt> {
  const { recipe, experimentId, round } = input;
  const { runner, corpus, embedder } = deps;
  const stage = stageOf(recipe, input.stage);
  const teacher = await resolveRole(deps.models, recipe, "teacher");
  const policy = await deps.models.resolveModel(input.policy);
  const policyAdapter = await adapterFile(input.policyAdapter, signal);
  const promptSet = loadPromptSet(deps.promptsDir, recipe.promptSet ?? promptSetFor(teacher.facts));
  const writer = promptSet.style === "lines" ? deps.linesWriter : grammarWriter;
  if (!holdsFor(writer, recipe.language)) throw englishOnly(promptSet.name, recipe.language);
  const [space, facts] = [await embedder.space(), await runner.facts()];
  const eligible = corpus.eligibleChunks();
  const timesSampled = store.timesSampled(experimentId);
  const earlierQuestions = store.questionVectors(experimentId);

  return async (ordinal) => {
    const place: Place = { experimentId, seed: recipe.seed, stage: stage.name, round, ordinal };
    const calls: Call[] = [];
    const asking = { runner, promptSet, place, calls, signal, markers: recipe.markers };
    const draft = await generatePair({
      recipe,
      stage,
      place,
      corpus,
      embedder,
      runner,
      promptSet,
      writer,
      eligible,
      timesSampled,
      earlierQuestions,
      signal,
      policyPath: policy.path,
      askTeacher: createAsk({ ...asking, role: "teacher", binding: bindingOf(teacher, null) }),
      askPolicy: createAsk({ ...asking, role: "policy", binding: bindingOf(policy, policyAdapter) }),
    });
    const [source] = draft.sources;
    if (!source) return null;
    timesSampled.set(source.chunkId, (timesSampled.get(source.chunkId) ?? 0) + 1);
    if (draft.question) earlierQuestions.push(draft.question.vector);

    const { tookMs, filterReason } = draft;
    const row = store.insert({
      experimentId,
      stage: stage.name,
      stageIndex: stage.index,
      loss: lossLabel(stage.loss),
      round,
      ordinal,
      filterReason,
      question: draft.question?.text ?? draft.refusedQuestion,
      vector: draft.question?.vector ?? null,
      chosen: draft.chosen,
      rejected: draft.rejected,
      thinking: draft.thinking,
      markers: recipe.markers,
      messages: null,
      tokens: null,
      status: filterReason === null ? "accepted" : "filtered",
      sources: draft.sources,
      provenance: provenanceOf({
        place,
        teacher,
        policy,
        policyAdapter,
        promptSet,
        writer,
        space,
        facts,
        calls,
        tookMs,
      }),
      events: [
        { kind: filterReason === null ? "accepted" : "filtered", payload: { filterReason } },
        { kind: "calls", payload: calls },
      ],
    });
    if (!row) throw new Error(`attempt ${ordinal} of ${stage.name} round ${round} is in the ledger already`);
    return row;
  };
}

function englishOnly(promptSet: string, language: string): AppError {
  return new AppError(
    "VALIDATION_FAILED",
    `The prompt set ${promptSet} works with English papers only, and the recipe's language is ${language}`,
    { hint: "Name the prompt set standard in the recipe, and a teacher of at least a billion parameters." },
  );
}

async function adapterFile(path: string | null, signal: AbortSignal): Promise<UsedFile | null> {
  return path === null ? null : { name: basename(path), path, sha256: await sha256OfFile(path, signal) };
}

function bindingOf(model: UsedFile, adapter: UsedFile | null): ModelBinding {
  return { modelPath: model.path, adapterPath: adapter?.path ?? null };
}
