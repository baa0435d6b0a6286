import type { Statement, StatementSpan, ThinkingSection } from "../../shared/contract/preference.ts";
import { embedWhole } from "../embedding/index.ts";
import { nTries } from "../asking/index.ts";
import { explains, firstOfEach, isFact, usableSentences } from "./excerpt.ts";
import type { Section } from "../recipe/index.ts";
import { isGoodStatement } from "./statement.ts";
import { keyTerms } from "./terms.ts";
import {
  asList,
  cosine,
  createLocate,
  exampleStems,
  type Locate,
  names,
  type Passage,
  spansIn,
  type ThinkingInput,
  type Vector,
} from "../preference/index.ts";

/** Sentences more alike than this say the same. */
const SAME_SENTENCE = 0.9;

/** A cleaned sentence and where it stands as it was. */
type Sourced = { text: string; spans: StatementSpan[] };

/**
 * Thinking for models that cannot fill a schema: code selects and checks, the model only rewrites single sentences and
 * completes single lines.
 */
export async function thinkByLines(input: ThinkingInput): Promise<ThinkingSection[]> {
  const sections: ThinkingSection[] = [];
  const locate = createLocate(input.context);
  for (const section of input.recipe.sections) {
    const steps = sections[0]?.statements ?? [];
    sections.push({ name: section.name, statements: await fill(section, steps, input, locate) });
  }
  return sections;
}

async function fill(section: Section, steps: Statement[], input: ThinkingInput, locate: Locate): Promise<Statement[]> {
  const texts = steps.map(({ text }) => text);
  switch (section.kind) {
    case "steps": {
      const sentences = await nearestSentences(input, section.maxStatements);
      return rewriteAll(sentences, input);
    }
    case "concepts":
      return keyTerms(texts.join(" "), input.question, section.maxStatements).map((text) => ({
        text,
        spans: spansThatName(text, steps) ?? locate(text),
      }));
    case "line": {
      const line = await writeLine(section.task ?? section.name, texts, input);
      return line === null ? [] : [{ text: line, spans: locate(line) }];
    }
  }
}

/** Where the term stands in what a step rests on; null when a rewrite put it there. */
function spansThatName(term: string, steps: readonly Statement[]): StatementSpan[] | null {
  const span = steps.flatMap(({ spans }) => spans ?? []).find(({ quote }) => names(quote, term));
  return span ? [span] : null;
}

/** The context's sentences nearest to the question, no two of them alike, in the order of the context. */
async function nearestSentences(
  { context, question, embedder, signal }: ThinkingInput,
  limit: number,
): Promise<Sourced[]> {
  const sentences = firstOfEach(context.flatMap(sentencesOf)).filter(({ text }) => isFact(text));
  const embedded = await embedWhole(embedder, [question, ...sentences.map(({ text }) => text)], signal);
  const [target, ...vectors] = embedded.vectors as [Vector, ...Vector[]]; // the question is always there
  const ranked = vectors
    .map((vector, index) => ({ index, vector, score: cosine(vector, target) + bonusOf(sentences[index]!.text) }))
    .toSorted((a, b) => b.score - a.score);
  const chosen: typeof ranked = [];
  for (const candidate of ranked) {
    if (chosen.length === limit) break;
    if (!chosen.some(({ vector }) => cosine(vector, candidate.vector) > SAME_SENTENCE)) chosen.push(candidate);
  }
  return chosen.toSorted((a, b) => a.index - b.index).map(({ index }) => sentences[index]!);
}

function sentencesOf(passage: Passage): Sourced[] {
  return usableSentences(passage.text).map(({ text, start, end }) => ({ text, spans: spansIn(passage, start, end) }));
}

/** Between two sentences about equally near to the question, the one that explains something makes the better step. */
function bonusOf(sentence: string): number {
  return explains(sentence) ? 0.1 : 0;
}

/** Each sentence as one short statement; where no rewrite is faithful, the sentence itself. */
async function rewriteAll(sentences: Sourced[], input: ThinkingInput): Promise<Statement[]> {
  const statements: Statement[] = [];
  for (const [i, { text, spans }] of sentences.entries()) {
    const earlier = statements.map((statement) => statement.text);
    statements.push({ text: (await rewrite(text, i, earlier, input)) ?? text, spans });
  }
  return statements;
}

async function rewrite(sentence: string, i: number, earlier: string[], input: ThinkingInput): Promise<string | null> {
  const { ask, promptSet, recipe } = input;
  for (let attempt = 0; attempt < nTries(promptSet, "step"); attempt++) {
    const { text } = await ask("step", { sentence }, { attempt, part: String(i) });
    const check = { source: sentence, earlier, minOverlap: recipe.filters.minStepOverlap, isRewrite: true };
    if (isGoodStatement(text, { ...check, exampleStems: exampleStems(promptSet, "step") })) return text;
  }
  return null;
}

/** One line by a task of its own, from the steps; null when no try passes the checks. */
async function writeLine(task: string, steps: string[], input: ThinkingInput): Promise<string | null> {
  const { ask, promptSet, question, recipe } = input;
  const opening = promptSet.task(task).prefill ?? "";
  const source = [...steps, question].join("\n");
  for (let attempt = 0; attempt < nTries(promptSet, task); attempt++) {
    const { text } = await ask(task, { facts: asList(steps), question }, { attempt });
    const line = `${opening} ${text}`.trim();
    const check = { source, earlier: steps, minOverlap: recipe.filters.minLineOverlap, isRewrite: false };
    if (isGoodStatement(line, { ...check, exampleStems: exampleStems(promptSet, task) })) return line;
  }
  return null;
}
