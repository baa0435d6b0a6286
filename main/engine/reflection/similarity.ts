import { isAppError } from "../../shared/errors.ts";
import { type Embedder, embedWhole } from "../embedding/index.ts";

/** Embeds the texts and gives their cosine by text; null where nothing can be said. */
export type Similarity = (texts: string[]) => Promise<(a: string, b: string) => number | null>;

/** Each text is embedded once. Without an embedder the reflection goes on and the similarities stay unknown. */
export function createSimilarity(embedder: Embedder, signal: AbortSignal): Similarity {
  const vectors = new Map<string, Float32Array>();
  return async (texts) => {
    const missing = [...new Set(texts)].filter((text) => text.trim() !== "" && !vectors.has(text));
    try {
      const made = missing.length === 0 ? [] : (await embedWhole(embedder, missing, signal)).vectors;
      for (const [i, text] of missing.entries()) vectors.set(text, made[i]!);
    } catch (error) {
      if (!isAppError(error, "EMBEDDER_UNAVAILABLE")) throw error;
    }
    return (a, b) => dot(vectors.get(a), vectors.get(b));
  };
}

function dot(a: Float32Array | undefined, b: Float32Array | undefined): number | null {
  if (!a || !b) return null;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
