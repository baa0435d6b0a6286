import type { PairSource, ThinkingSection } from "../../../shared/contract/preference.ts";
import type { FilterReason } from "../../../shared/filter-reasons.ts";
import { formatResponse, parseResponse } from "../../../shared/response-format.ts";
import { type Embedder, embedWhole } from "../../embedding/index.ts";
import type { ModelRunner } from "../../inference/index.ts";
import type { PromptSet } from "../../asking/index.ts";
import { writeAnswer } from "./answer.ts";
import type { Ask, Place } from "../../asking/index.ts";
import type { EligibleChunks, PairCorpus } from "./corpus-access.ts";
import type { PairWriter } from "./pair-writer.ts";
import { refusalOf } from "../filters/filter.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import { filterRegistry } from "../filters/registry.ts";
import { findThinking } from "../encode/find-thinking.ts";
import { pairMessages } from "../encode/pair-messages.ts";
import { type Question, writeQuestion } from "./question.ts";
import type { Recipe, StageRecipe } from "../../recipe/index.ts";
import { writeRejected } from "./rejected.ts";
import { retrieve } from "./retrieval.ts";
import { cosine, type Vector } from "../similarity.ts";
import { drawSource, type Source } from "./source-chunk.ts";
import { formatThinking, writeThinking } from "./thinking.ts";

/** What an attempt has come to, as far as it came: the ledger keeps filtered attempts too. */
export type PairDraft = {
  question: Question | null;
  sources: PairSource[];
  thinking: ThinkingSection[];
  chosen: string;
  rejected: string;
  /** Null when the pair is accepted. */
  filterReason: FilterReason | null;
  /** The question that was refused, when the attempt ended with it. */
  refusedQuestion: string;
  tookMs: Record<string, number>;
};

export type PairInput = {
  recipe: Recipe;
  stage: StageRecipe;
  place: Place;
  corpus: PairCorpus;
  embedder: Embedder;
  runner: ModelRunner;
  promptSet: PromptSet;
  writer: PairWriter;
  policyPath: string;
  askTeacher: Ask;
  askPolicy: Ask;
  /** Counted once a round. */
  eligible: EligibleChunks;
  /** What the experiment's earlier attempts leave: times that each chunk was a source, vectors of questions. */
  timesSampled: Map<string, number>;
  earlierQuestions: Vector[];
  signal: AbortSignal;
};

/** One attempt at one pair (METHOD §3), step by step until a filter ends it or the pair stands. */
export async function generatePair(input: PairInput): Promise<PairDraft> {
  const draft: PairDraft = {
    question: null,
    sources: [],
    thinking: [],
    chosen: "",
    rejected: "",
    filterReason: null,
    refusedQuestion: "",
    tookMs: {},
  };
  const outcome = await fillDraft(draft, input);
  draft.filterReason = outcome.ok ? null : outcome.reason;
  return draft;
}

async function fillDraft(draft: PairDraft, input: PairInput): Promise<Outcome<true>> {
  const { recipe, promptSet, corpus, signal } = input;
  const ask = input.askTeacher;
  const source = drawSource(input);
  if (!source.ok) return source;
  draft.sources = [sourceRow(corpus, source.value)];

  const question = await timed(draft, "question", () =>
    writeQuestion({
      ...input,
      ask,
      passage: source.value.passage.text,
      earlier: input.earlierQuestions,
    }),
  );
  if (!question.ok) {
    draft.refusedQuestion = question.refused ?? "";
    return question;
  }
  draft.question = question.value;
  const asked = question.value.text;

  const retrieved = await timed(draft, "retrieval", () =>
    retrieve({ corpus, recipe, question: asked, source: source.value, signal }),
  );
  draft.sources.push(...retrieved.map((hit) => spanRow(corpus, hit.chunkId, hit.score, "retrieved")));
  const context = [source.value.passage, ...retrieved.map((hit) => hit.passage)];

  const thinking = await timed(draft, "thinking", () =>
    writeThinking(input.writer, { ...input, ask, question: asked, context }),
  );
  if (!thinking.ok) return thinking;
  draft.thinking = thinking.value;

  const answer = await timed(draft, "answer", () =>
    writeAnswer({
      ask,
      promptSet,
      recipe,
      writer: input.writer,
      question: asked,
      thinking: thinking.value,
      context: context.map(({ text }) => text),
    }),
  );
  if (!answer.ok) {
    draft.chosen = responseText(thinking.value, answer.refused ?? "", recipe);
    return answer;
  }
  const chosen = formatChosen(thinking.value, answer.value, recipe);
  if (!chosen.ok) return chosen;
  draft.chosen = chosen.value;

  const rejected = await timed(draft, "rejected", () =>
    writeRejected({
      ask: input.askPolicy,
      promptSet,
      stage: input.stage,
      question: asked,
      recipe,
    }),
  );
  if (!rejected.ok) {
    draft.rejected = rejected.refused ?? "";
    return rejected;
  }
  draft.rejected = rejected.value;
  return timed(draft, "checks", () => checkPair(asked, answer.value, draft, input));
}

function responseText(sections: ThinkingSection[], answer: string, { markers }: Pick<Recipe, "markers">): string {
  return formatResponse({ thinking: formatThinking(sections), reflection: "", answer }, markers);
}

/** The chosen text as it is trained on; it must come apart again into the same parts. */
function formatChosen(sections: ThinkingSection[], answer: string, { markers }: Recipe): Outcome<string> {
  const thinking = formatThinking(sections);
  const text = responseText(sections, answer, { markers });
  const parsed = parseResponse(text, markers);
  const isSame = parsed.problems.length === 0 && parsed.thinking === thinking && parsed.answer === answer;
  return isSame ? found(text) : filtered("chosen_malformed");
}

async function checkPair(question: string, answer: string, draft: PairDraft, input: PairInput): Promise<Outcome<true>> {
  const { recipe, stage, signal } = input;
  // thinking that never ends, or with nothing behind it, counts whole
  const rejectedAnswer =
    draft.rejected.slice(findThinking(draft.rejected, recipe.markers).answerStart) || draft.rejected;
  const { vectors } = await embedWhole(input.embedder, [answer, rejectedAnswer], signal);
  const similarity = cosine(vectors[0]!, vectors[1]!);
  const isAlike = refusalOf(filterRegistry.signal, { similarity, filters: recipe.filters }, recipe.language);
  if (isAlike) return filtered(isAlike);
  const { prompt, chosen, rejected } = await input.runner.encodePair(
    { modelPath: input.policyPath, messages: pairMessages(question), chosen: draft.chosen, rejected: draft.rejected },
    signal,
  );
  const nTokens = prompt.length + Math.max(chosen.length, rejected.length);
  const isLong = refusalOf(filterRegistry.length, { nTokens, maxLength: stage.max_length }, recipe.language);
  return isLong ? filtered(isLong) : found(true);
}

function sourceRow(corpus: PairCorpus, source: Source): PairSource {
  return spanRow(corpus, source.chunkId, null, "source");
}

function spanRow(
  corpus: PairCorpus,
  chunkId: PairSource["chunkId"],
  score: number | null,
  role: PairSource["role"],
): PairSource {
  const { documentId, title, page, start, end } = corpus.chunkSpan(chunkId);
  return { chunkId, documentId, title, page, start, end, score, role };
}

async function timed<T>(draft: PairDraft, step: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  try {
    return await work();
  } finally {
    draft.tookMs[step] = Math.round(performance.now() - startedAt);
  }
}
