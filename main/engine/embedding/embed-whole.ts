import type { Embedder } from "./embedder.ts";

/** Tokens that the embedder puts around a text. */
export const N_SPECIAL_TOKENS = 2;

/**
 * Unit vectors of texts of any length: one that does not fit the window is embedded in parts of whole words, and its
 * vector is their mean, weighted by tokens. Nothing is cut off. Errors: EMBEDDER_UNAVAILABLE.
 */
export async function embedWhole(
  embedder: Embedder,
  texts: readonly string[],
  signal?: AbortSignal,
): Promise<{ vectors: Float32Array[]; nTokens: number[] }> {
  const { maxTokens } = await embedder.space();
  const budget = maxTokens - N_SPECIAL_TOKENS;
  const nTokens = await embedder.countTokens([...texts], signal);
  const parts: { text: string; owner: number; weight: number }[] = [];
  for (const [owner, text] of texts.entries()) {
    if (nTokens[owner]! <= budget) parts.push({ text, owner, weight: 1 });
    else for (const part of await splitToFit(embedder, text, budget, signal)) parts.push({ ...part, owner });
  }
  const vectors = await embedder.embed(
    parts.map((part) => part.text),
    signal,
  );
  return { vectors: texts.map((_, owner) => weightedMean(parts, vectors, owner)), nTokens };
}

type Part = { text: string; weight: number };

/** Halves at a word's end until every part fits; a single word that does not fit is halved as it is. */
async function splitToFit(embedder: Embedder, text: string, budget: number, signal?: AbortSignal): Promise<Part[]> {
  const [nTokens] = await embedder.countTokens([text], signal);
  if (nTokens! <= budget || text.length < 2) return text.trim() === "" ? [] : [{ text, weight: nTokens! }];
  const middle = middleOf(text);
  return [
    ...(await splitToFit(embedder, text.slice(0, middle), budget, signal)),
    ...(await splitToFit(embedder, text.slice(middle), budget, signal)),
  ];
}

/** The word boundary nearest before the middle, else the middle itself, never inside a surrogate pair. */
export function middleOf(text: string): number {
  const half = text.length >> 1;
  const space = text.lastIndexOf(" ", half);
  if (space > 0) return space;
  return /[\udc00-\udfff]/.test(text[half] ?? "") ? half + 1 : half;
}

function weightedMean(
  parts: readonly { owner: number; weight: number }[],
  vectors: Float32Array[],
  owner: number,
): Float32Array {
  const own = parts.flatMap((part, i) => (part.owner === owner ? [{ weight: part.weight, vector: vectors[i]! }] : []));
  if (own.length === 1) return own[0]!.vector;
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  for (const { weight, vector } of own) vector.forEach((value, dim) => (sum[dim]! += weight * value));
  const norm = Math.hypot(...sum) || 1;
  return Float32Array.from(sum, (value) => value / norm);
}
