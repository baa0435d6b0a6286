import { diffArrays, diffWordsWithSpace } from "diff";
import { splitSentences } from "../../main/shared/sentences.ts";

export type Sentence = { index: number; text: string; startsParagraph: boolean };
/** A run of words of a changed sentence: in both versions, or in one of them only. */
export type WordPart = { text: string; kind: "same" | "removed" | "added" };
export type AlignedRow =
  | { kind: "same"; before: Sentence; after: Sentence }
  | { kind: "changed"; before: Sentence; after: Sentence; parts: WordPart[] }
  | { kind: "removed"; before: Sentence }
  | { kind: "added"; after: Sentence };

/**
 * Two versions of a text, sentence beside sentence. Equal sentences are found first (Myers on whole sentences); in
 * each stretch between them, sentences that share most of their words are taken for versions of each other and
 * compared word by word. Every sentence of either text appears exactly once, in order.
 */
export function alignSentences(before: string, after: string): AlignedRow[] {
  const left = sentencesOf(before);
  const right = sentencesOf(after);
  const rows: AlignedRow[] = [];
  let i = 0;
  let j = 0;
  let removed: Sentence[] = [];
  let added: Sentence[] = [];
  const flush = () => {
    rows.push(...pairUp(removed, added));
    removed = [];
    added = [];
  };
  for (const block of diffArrays(left.map(keyOf), right.map(keyOf))) {
    const count = block.value.length;
    if (block.removed) removed = left.slice(i, (i += count));
    else if (block.added) added = right.slice(j, (j += count));
    else {
      flush();
      for (let k = 0; k < count; k++) rows.push({ kind: "same", before: left[i++]!, after: right[j++]! });
    }
  }
  flush();
  return rows;
}

export function sentencesOf(text: string): Sentence[] {
  let lastEnd = 0;
  return splitSentences(text).map((span, index) => {
    const startsParagraph = index > 0 && text.slice(lastEnd, span.start).includes("\n");
    lastEnd = span.end;
    return { index, text: span.text, startsParagraph };
  });
}

/** White space is no difference. */
function keyOf({ text }: Sentence): string {
  return text.replace(/\s+/g, " ");
}

/** Below this share of common words two sentences are not versions of one another. */
const LEAST_SIMILARITY = 0.4;
/** Beyond this many comparisons (200 × 200 sentences rewritten at once) aligning costs more than it explains. */
const MOST_COMPARISONS = 40_000;

/** The order-keeping pairing with the greatest total similarity; what has no partner was removed or added. */
function pairUp(removed: Sentence[], added: Sentence[]): AlignedRow[] {
  const pairs = removed.length * added.length > MOST_COMPARISONS ? [] : bestPairs(removed, added);
  const rows: AlignedRow[] = [];
  let i = 0;
  let j = 0;
  const upTo = (iEnd: number, jEnd: number) => {
    while (i < iEnd) rows.push({ kind: "removed", before: removed[i++]! });
    while (j < jEnd) rows.push({ kind: "added", after: added[j++]! });
  };
  for (const [a, b] of pairs) {
    upTo(a, b);
    rows.push(changedRow(removed[i++]!, added[j++]!));
  }
  upTo(removed.length, added.length);
  return rows;
}

function bestPairs(removed: Sentence[], added: Sentence[]): [number, number][] {
  const leftWords = removed.map(wordCounts);
  const rightWords = added.map(wordCounts);
  // best[i][j]: the greatest total similarity of pairings of removed[i..] with added[j..]
  const best = Array.from({ length: removed.length + 1 }, () => new Float64Array(added.length + 1));
  const gain = (i: number, j: number) => {
    const similarity = diceSimilarity(leftWords[i]!, rightWords[j]!);
    return similarity >= LEAST_SIMILARITY ? similarity : Number.NEGATIVE_INFINITY;
  };
  const gains = removed.map((_, i) => Float64Array.from(added, (_, j) => gain(i, j)));
  for (let i = removed.length - 1; i >= 0; i--) {
    for (let j = added.length - 1; j >= 0; j--) {
      best[i]![j] = Math.max(best[i + 1]![j]!, best[i]![j + 1]!, gains[i]![j]! + best[i + 1]![j + 1]!);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < removed.length && j < added.length;) {
    if (best[i]![j] === best[i + 1]![j]) i++;
    else if (best[i]![j] === best[i]![j + 1]) j++;
    else pairs.push([i++, j++]);
  }
  return pairs;
}

function wordCounts({ text }: Sentence): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** Sørensen–Dice over the words with their counts, 0..1. */
function diceSimilarity(a: Map<string, number>, b: Map<string, number>): number {
  let common = 0;
  let total = 0;
  for (const [word, count] of a) {
    common += Math.min(count, b.get(word) ?? 0);
    total += count;
  }
  for (const count of b.values()) total += count;
  return total === 0 ? 0 : (2 * common) / total;
}

function changedRow(before: Sentence, after: Sentence): AlignedRow {
  const parts = diffWordsWithSpace(before.text, after.text).map(({ value, added, removed }): WordPart => ({
    text: value,
    kind: added ? "added" : removed ? "removed" : "same",
  }));
  return { kind: "changed", before, after, parts: joinChanges(parts) };
}

/**
 * A space between two changes belongs to them ("a threshold" → "about 5 wt%" is one change, not three), and a space
 * that both versions have after a change does not.
 */
function joinChanges(parts: readonly WordPart[]): WordPart[] {
  const joined: WordPart[] = [];
  let removed = "";
  let added = "";
  const flush = (): string => {
    const space = removed.endsWith(" ") && added.endsWith(" ") ? " " : "";
    if (removed) joined.push({ text: removed.slice(0, removed.length - space.length), kind: "removed" });
    if (added) joined.push({ text: added.slice(0, added.length - space.length), kind: "added" });
    removed = "";
    added = "";
    return space;
  };
  parts.forEach((part, i) => {
    const isGap = part.kind === "same" && part.text.trim() === "" && (removed || added) && i + 1 < parts.length;
    if (part.kind === "same" && !isGap) joined.push({ text: flush() + part.text, kind: "same" });
    if (part.kind === "removed" || isGap) removed += part.text;
    if (part.kind === "added" || isGap) added += part.text;
  });
  const space = flush();
  if (space) joined.push({ text: space, kind: "same" });
  return joined.filter(({ text }) => text !== "");
}
