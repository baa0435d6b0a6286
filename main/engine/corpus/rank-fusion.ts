/** Cormack, Clarke and Büttcher 2009: the constant that damps the very first ranks. */
const K = 60;
/** A list of references names everything and says nothing: what it contributes is divided by this. */
const REFERENCES_DIVISOR = 10;

export type Ranks = { vector: number | null; text: number | null };

/** Ranks from 1 of every key that is in either list. */
export function mergeRanks(vectorKeys: readonly number[], textKeys: readonly number[]): Map<number, Ranks> {
  const ranks = new Map<number, Ranks>();
  vectorKeys.forEach((key, i) => ranks.set(key, { vector: i + 1, text: null }));
  textKeys.forEach((key, i) => ranks.set(key, { vector: ranks.get(key)?.vector ?? null, text: i + 1 }));
  return ranks;
}

/** Reciprocal rank fusion: the sum of 1 / (60 + rank) over the lists that have it. */
export function fusedScore({ vector, text }: Ranks, isReferences: boolean): number {
  const score = (vector === null ? 0 : 1 / (K + vector)) + (text === null ? 0 : 1 / (K + text));
  return isReferences ? score / REFERENCES_DIVISOR : score;
}
