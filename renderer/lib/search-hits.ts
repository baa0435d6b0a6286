import type { SearchHit } from "../../main/shared/contract/corpus.ts";
import { type Span, splitSentences } from "../../main/shared/sentences.ts";

export type HitGroup = { documentId: SearchHit["documentId"]; title: string; hits: SearchHit[] };

/** Hits by document; documents in the order of their best hit, hits in the order given. */
export function groupHits(hits: readonly SearchHit[]): HitGroup[] {
  const groups = new Map<string, HitGroup>();
  for (const hit of hits) {
    const group = groups.get(hit.documentId) ?? { documentId: hit.documentId, title: hit.title, hits: [] };
    group.hits.push(hit);
    groups.set(hit.documentId, group);
  }
  return [...groups.values()];
}

/** The sentence of a hit that speaks most of the query, its place in the chunk's text, and what stands around it. */
export type HitSentence = { before: string; sentence: Span; after: string; marks: { start: number; end: number }[] };

const CONTEXT_CHARS = 90;

export function sentenceOfHit(text: string, query: string): HitSentence {
  const words = queryWords(query);
  const sentences = splitSentences(text);
  const whole: Span = { start: 0, end: text.length, text };
  const best = sentences.reduce<{ sentence: Span; score: number }>(
    (best, sentence) => {
      const score = new Set(marksOf(sentence.text, words).map(({ word }) => word)).size;
      return score > best.score ? { sentence, score } : best;
    },
    { sentence: sentences[0] ?? whole, score: 0 },
  ).sentence;
  const before = text.slice(0, best.start);
  const after = text.slice(best.end);
  return {
    before: before.length > CONTEXT_CHARS ? `…${before.slice(-CONTEXT_CHARS).replace(/^\S*\s/, "")}` : before,
    sentence: best,
    after: after.length > CONTEXT_CHARS ? `${after.slice(0, CONTEXT_CHARS).replace(/\s\S*$/, "")}…` : after,
    marks: marksOf(best.text, words).map(({ start, end }) => ({ start, end })),
  };
}

const WORD = /[\p{L}\p{N}]+/gu;

/** Words without a meaning of their own would light up everywhere. */
const FILLERS = new Set(
  "the and for are was were with from that this these those how what why which when does did not into than its has have can".split(
    " ",
  ),
);

function queryWords(query: string): string[] {
  return [...query.toLowerCase().matchAll(WORD)]
    .map(([word]) => word)
    .filter((word) => word.length > 2 && !FILLERS.has(word));
}

/** Words of the text that begin as a word of the query does ("batteries" for "battery"). */
function marksOf(text: string, words: readonly string[]): { start: number; end: number; word: string }[] {
  return [...text.matchAll(WORD)].flatMap((match) => {
    const found = words.find((word) => isSameStem(match[0].toLowerCase(), word));
    return found ? [{ start: match.index, end: match.index + match[0].length, word: found }] : [];
  });
}

function isSameStem(a: string, b: string): boolean {
  if (a === b) return true;
  const stem = Math.max(4, Math.min(a.length, b.length) - 2);
  return a.length >= 4 && b.length >= 4 && Math.abs(a.length - b.length) <= 3 && a.slice(0, stem) === b.slice(0, stem);
}
