import { diffArrays } from "diff";
import { splitSentences } from "./sentences.ts";

export type Sentence = { index: number; text: string; startsParagraph: boolean };

/** Indices count sentences from 0; `movedTo` and `movedFrom` name the other place of a sentence that only moved. */
export type AlignedRow =
  | { kind: "same"; before: Sentence; after: Sentence }
  | { kind: "changed"; before: Sentence; after: Sentence }
  | { kind: "removed"; before: Sentence; movedTo: number | null }
  | { kind: "added"; after: Sentence; movedFrom: number | null };

/**
 * Two versions of a text, sentence beside sentence. [Note: one aligner] The critique's links, "changed %", the window's
 * comparison and the report all read these rows, so that they cannot contradict each other.
 *
 * As many equal sentences as can stay in order are paired; sentences between them that share enough of their words are
 * versions of each other. Every sentence of either text appears once and in order, a text and itself are the same, and
 * with the texts swapped the same sentences are partners.
 */
export function alignSentences(before: string, after: string): AlignedRow[] {
  const left = sentencesOf(before);
  const right = sentencesOf(after);
  return rowsOf(left, right, partnersEitherWay(left.map(keyOf), right.map(keyOf)));
}

export function sentencesOf(text: string): Sentence[] {
  let lastEnd = 0;
  return splitSentences(text).map((span, index) => {
    const startsParagraph = index > 0 && text.slice(lastEnd, span.start).includes("\n");
    lastEnd = span.end;
    return { index, text: span.text, startsParagraph };
  });
}

/** White space, and the two ways to write an accent, are no difference. */
function keyOf({ text }: Sentence): string {
  return text.normalize("NFC").replaceAll(/\s+/g, " ");
}

type Pair = [before: number, after: number];

/** Where several pairings are equally good, the order of the texts must not choose: the smaller one always comes first. */
function partnersEitherWay(left: string[], right: string[]): Pair[] {
  if (left.join("\n") <= right.join("\n")) return partners(left, right);
  return partners(right, left).map(([a, b]): Pair => [b, a]);
}

/** In texts too long for comparing everything, equal sentences are found first (Myers), and versions between them. */
function partners(left: string[], right: string[]): Pair[] {
  if (left.length * right.length <= MOST_COMPARISONS) return bestPairs(left, right);
  const pairs: Pair[] = [];
  let gap = { left: 0, right: 0 };
  let i = 0;
  let j = 0;
  const closeGap = () => {
    const found = bestPairs(left.slice(gap.left, i), right.slice(gap.right, j));
    pairs.push(...found.map(([a, b]): Pair => [gap.left + a, gap.right + b]));
  };
  for (const block of diffArrays(left, right)) {
    const count = block.value.length;
    if (block.removed) i += count;
    else if (block.added) j += count;
    else {
      closeGap();
      for (let k = 0; k < count; k++) pairs.push([i++, j++]);
      gap = { left: i, right: j };
    }
  }
  closeGap();
  return pairs;
}

/** Below this likeness two sentences are two sentences, and not one that was changed. */
const LEAST_LIKENESS = 0.4;
/** More than any sum of likenesses: an unchanged sentence is never given up for changed ones. */
const GAIN_OF_SAME = 1000;
/** Beyond this many comparisons (200 × 200 sentences) aligning costs more than it explains. */
const MOST_COMPARISONS = 40_000;

/** The pairing that keeps the order, has the most equal sentences, and then the greatest sum of likenesses. */
function bestPairs(left: string[], right: string[]): Pair[] {
  if (left.length * right.length > MOST_COMPARISONS) return [];
  const leftWords = left.map(weightByWord);
  const rightWords = right.map(weightByWord);
  const gains = left.map((a, i) =>
    Float64Array.from(right, (b, j) => (a === b ? GAIN_OF_SAME : gainOf(likeness(leftWords[i]!, rightWords[j]!)))),
  );
  // best[i][j]: the greatest sum over pairings of left[i..] with right[j..]
  const best = Array.from({ length: left.length + 1 }, () => new Float64Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--)
      best[i]![j] = Math.max(best[i + 1]![j]!, best[i]![j + 1]!, gains[i]![j]! + best[i + 1]![j + 1]!);
  }
  const pairs: Pair[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (best[i]![j] === best[i + 1]![j]) i++;
    else if (best[i]![j] === best[i]![j + 1]) j++;
    else pairs.push([i++, j++]);
  }
  return pairs;
}

function gainOf(share: number): number {
  return share >= LEAST_LIKENESS ? share : Number.NEGATIVE_INFINITY;
}

/** Scripts written without spaces are compared sign by sign. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}])[\p{L}\p{N}\p{M}])+/gu;

/** A word weighs its letters, a short one a single letter: "the" and "of" make no two sentences alike. */
function weightByWord(sentence: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const [word] of sentence.toLowerCase().matchAll(WORD))
    weights.set(word, (weights.get(word) ?? 0) + (word.length > 3 ? word.length : 1));
  return weights;
}

/** Sørensen–Dice over the words by their weights, 0..1. */
function likeness(a: Map<string, number>, b: Map<string, number>): number {
  let common = 0;
  let total = 0;
  for (const [word, weight] of a) {
    common += Math.min(weight, b.get(word) ?? 0);
    total += weight;
  }
  for (const weight of b.values()) total += weight;
  return total === 0 ? 0 : (2 * common) / total;
}

function rowsOf(left: Sentence[], right: Sentence[], pairs: Pair[]): AlignedRow[] {
  const moves = movesBetween(left, right, pairs);
  const rows: AlignedRow[] = [];
  let i = 0;
  let j = 0;
  const upTo = (iEnd: number, jEnd: number) => {
    for (; i < iEnd; i++) rows.push({ kind: "removed", before: left[i]!, movedTo: moves.to.get(i) ?? null });
    for (; j < jEnd; j++) rows.push({ kind: "added", after: right[j]!, movedFrom: moves.from.get(j) ?? null });
  };
  for (const [a, b] of pairs) {
    upTo(a, b);
    const [before, after] = [left[i++]!, right[j++]!];
    rows.push({ kind: keyOf(before) === keyOf(after) ? "same" : "changed", before, after });
  }
  upTo(left.length, right.length);
  return rows;
}

/** Equal sentences without a partner on either side: the first of one with the first of the other. */
function movesBetween(left: Sentence[], right: Sentence[], pairs: Pair[]) {
  const isPaired = { left: new Set(pairs.map(([a]) => a)), right: new Set(pairs.map(([, b]) => b)) };
  const waiting = new Map<string, number[]>();
  for (const sentence of left) {
    if (isPaired.left.has(sentence.index)) continue;
    waiting.set(keyOf(sentence), [...(waiting.get(keyOf(sentence)) ?? []), sentence.index]);
  }
  const moves = { to: new Map<number, number>(), from: new Map<number, number>() };
  for (const sentence of right) {
    if (isPaired.right.has(sentence.index)) continue;
    const from = waiting.get(keyOf(sentence))?.shift();
    if (from === undefined) continue;
    moves.to.set(from, sentence.index);
    moves.from.set(sentence.index, from);
  }
  return moves;
}
