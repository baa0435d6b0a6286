import { contentWords, words } from "../lib/text.ts";

/** How sentences of one text became those of another; indices count from 0 and grow along the list. */
export type AlignedSentence =
  | { kind: "same" | "changed"; before: number; after: number }
  | { kind: "removed"; before: number; after: null }
  | { kind: "added"; before: null; after: number };

/** Two sentences that share fewer content words than this are two sentences, not one that was changed. */
const MIN_SHARED_SHARE = 0.4;
/** An unchanged sentence is worth more than any two changed ones, so that it stays an anchor. */
const SAME_SCORE = 3;

/** The alignment of two lists of sentences that keeps the order and the greatest sum of similarities (global alignment without gap cost). */
export function alignSentences(before: readonly string[], after: readonly string[]): AlignedSentence[] {
  const score = pairScores(before, after);
  const best = bestSums(score, before.length, after.length);
  const aligned: AlignedSentence[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length && j < after.length) {
    const pair = score[i]![j]!;
    if (pair > 0 && best[i]![j] === pair + best[i + 1]![j + 1]!) {
      aligned.push({ kind: pair === SAME_SCORE ? "same" : "changed", before: i++, after: j++ });
    } else if (best[i]![j] === best[i + 1]![j]) {
      aligned.push({ kind: "removed", before: i++, after: null });
    } else {
      aligned.push({ kind: "added", before: null, after: j++ });
    }
  }
  while (i < before.length) aligned.push({ kind: "removed", before: i++, after: null });
  while (j < after.length) aligned.push({ kind: "added", before: null, after: j++ });
  return aligned;
}

/** Share of the sentences of either text that have no unchanged partner in the other, 0..1. */
export function changedShare(aligned: readonly AlignedSentence[]): number {
  if (aligned.length === 0) return 0;
  return aligned.filter((sentence) => sentence.kind !== "same").length / aligned.length;
}

// (n_before, n_after)
function pairScores(before: readonly string[], after: readonly string[]): number[][] {
  const left = before.map(features);
  const right = after.map(features);
  return left.map((a) => right.map((b) => pairScore(a, b)));
}

type Features = { normal: string; stems: Set<string> };

function features(sentence: string): Features {
  return { normal: words(sentence).join(" ") || sentence.trim(), stems: new Set(contentWords(sentence)) };
}

function pairScore(a: Features, b: Features): number {
  if (a.normal === b.normal) return SAME_SCORE;
  const nShared = [...a.stems].filter((stem) => b.stems.has(stem)).length;
  const nUnion = a.stems.size + b.stems.size - nShared;
  const share = nUnion === 0 ? 0 : nShared / nUnion;
  return share >= MIN_SHARED_SHARE ? share : 0;
}

/** best[i][j]: the greatest sum over alignments of before[i..] with after[j..]. */
function bestSums(score: number[][], nBefore: number, nAfter: number): number[][] {
  const best = Array.from({ length: nBefore + 1 }, () => Array.from({ length: nAfter + 1 }, () => 0));
  for (let i = nBefore - 1; i >= 0; i--) {
    for (let j = nAfter - 1; j >= 0; j--) {
      const skip = Math.max(best[i + 1]![j]!, best[i]![j + 1]!);
      const pair = score[i]![j]!;
      best[i]![j] = pair > 0 ? Math.max(skip, pair + best[i + 1]![j + 1]!) : skip;
    }
  }
  return best;
}
