import type { Statement, StatementSpan } from "../../../shared/contract/preference.ts";
import { splitSentences } from "../../../shared/sentences.ts";
import {
  contentWords,
  escapeRegExp,
  inventedFacts,
  isNegated,
  jaccard,
  oneLine,
  overlapShare,
} from "../../lib/text.ts";
import { type Passage, spansIn } from "./passage.ts";

/** Share of a statement's content words that the sentence it rests on has; in any order, or mostly in the same. */
const MIN_SHARE = 0.9;
const MIN_SHARE_IN_ORDER = { share: 0.75, inOrder: 0.7 };
/** With fewer content words a statement says too little to be told apart. */
const MIN_CONTENT_WORDS = 3;
/** Longer, or with a full stop, it is a statement; else a name, and rests where the name stands. */
const MAX_WORDS_OF_NAME = 4;

export type Locate = (text: string) => StatementSpan[];

/**
 * Finds the sentence of the context that a statement rests on: one that has nearly all of its words, or most of them in
 * the same order, and every number, and does not say the opposite. None, where the statement is drawn from several sentences or from nowhere: then it is
 * the model's own inference. Better no page than a wrong one.
 */
export function createLocate(context: readonly Passage[]): Locate {
  const sentences = context.flatMap((passage) =>
    splitSentences(passage.text).map(({ text, start, end }) => ({ text, spans: () => spansIn(passage, start, end) })),
  );
  return (text) => {
    const found = isName(text) ? sentences.find((sentence) => names(sentence.text, text)) : bestOf(text, sentences);
    return found?.spans() ?? [];
  };
}

/** Each text as a statement with the spans that it rests on. */
export function locateAll(texts: readonly string[], locate: Locate): Statement[] {
  return texts.map((text) => ({ text, spans: locate(text) }));
}

/** Whether the phrase stands in the sentence as it is, but for case and white space. */
export function names(sentence: string, phrase: string): boolean {
  const pattern = escapeRegExp(oneLine(phrase));
  return new RegExp(String.raw`(?<![\p{L}\p{N}])${pattern}(?![\p{L}\p{N}])`, "iu").test(oneLine(sentence));
}

function isName(text: string): boolean {
  return !/[.!?]$/.test(text) && text.trim().split(/\s+/).length <= MAX_WORDS_OF_NAME;
}

function bestOf<T extends { text: string }>(statement: string, sentences: readonly T[]): T | undefined {
  if (new Set(contentWords(statement)).size < MIN_CONTENT_WORDS) return undefined;
  const scored = sentences
    .filter(({ text }) => mayRestOn(statement, text))
    .map((sentence) => ({
      sentence,
      share: overlapShare(statement, sentence.text),
      likeness: jaccard(statement, sentence.text),
    }))
    .filter(({ share, sentence }) => share >= MIN_SHARE || isInOrder(statement, sentence.text, share));
  return scored.toSorted((a, b) => b.share - a.share || b.likeness - a.likeness)[0]?.sentence;
}

/** A clause of a sentence says what the sentence says; words put otherwise must not turn it round or add a number. */
function mayRestOn(statement: string, sentence: string): boolean {
  const isClause = names(sentence, statement.replace(/[.!]$/, ""));
  return isClause || (isNegated(sentence) === isNegated(statement) && inventedFacts(statement, sentence).length === 0);
}

function isInOrder(statement: string, sentence: string, share: number): boolean {
  if (share < MIN_SHARE_IN_ORDER.share) return false;
  const own = contentWords(statement);
  return longestCommonSubsequence(own, contentWords(sentence)) / own.length >= MIN_SHARE_IN_ORDER.inOrder;
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let previous = Array.from({ length: b.length + 1 }, () => 0);
  for (const word of a) {
    const current = [0];
    for (const [j, other] of b.entries())
      current.push(word === other ? previous[j]! + 1 : Math.max(previous[j + 1]!, current[j]!));
    previous = current;
  }
  return previous[b.length]!;
}
