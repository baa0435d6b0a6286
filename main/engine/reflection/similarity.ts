import { isAppError } from "../../shared/errors.ts";
import { splitSentences } from "../../shared/sentences.ts";
import type { Embedder } from "../embedding/embedder.ts";

/** Embeds the texts and gives their cosine by text; null where nothing can be said. */
export type Similarity = (texts: string[]) => Promise<(a: string, b: string) => number | null>;

/** Each text is embedded once. Without an embedder the reflection goes on and the similarities stay unknown. */
export function createSimilarity(embedder: Embedder, signal: AbortSignal): Similarity {
  const vectors = new Map<string, Float32Array>();
  return async (texts) => {
    const missing = [...new Set(texts)].filter((text) => text.trim() !== "" && !vectors.has(text));
    try {
      for (const [text, vector] of await embedLong(embedder, missing, signal)) vectors.set(text, vector);
    } catch (error) {
      if (!isAppError(error, "EMBEDDER_UNAVAILABLE")) throw error;
    }
    return (a, b) => dot(vectors.get(a), vectors.get(b));
  };
}

/** A thinking of a thousand words does not fit the embedder's window: it becomes the mean of its parts. */
async function embedLong(embedder: Embedder, texts: string[], signal: AbortSignal): Promise<[string, Float32Array][]> {
  if (texts.length === 0) return [];
  // two places for the special tokens
  const limit = (await embedder.space()).maxTokens - 2;
  const counts = await embedder.countTokens(texts, signal);
  const parts = await Promise.all(
    texts.map((text, i) => (counts[i]! <= limit ? [text] : splitToFit(embedder, text, limit, signal))),
  );
  const vectors = await embedder.embed(parts.flat(), signal);
  return texts.map((text, i) => [text, meanVector(vectors.splice(0, parts[i]!.length))]);
}

/** Whole sentences, as many in a part as fit; a sentence that is too long alone is halved at a space. */
async function splitToFit(embedder: Embedder, text: string, limit: number, signal: AbortSignal): Promise<string[]> {
  const sentences = splitSentences(text).map((span) => span.text);
  const pieces = sentences.length > 1 ? sentences : halves(text);
  const counts = await embedder.countTokens(pieces, signal);
  const parts: string[] = [];
  let size = Infinity;
  for (const [i, piece] of pieces.entries()) {
    const count = counts[i]!;
    if (count > limit) parts.push(...(await splitToFit(embedder, piece, limit, signal)));
    else if (size + count > limit) parts.push(piece);
    else parts.push(`${parts.pop()!} ${piece}`);
    size = count > limit ? Infinity : size + count > limit ? count : size + count;
  }
  return parts;
}

function halves(text: string): string[] {
  const middle = Math.floor(text.length / 2);
  const space = text.indexOf(" ", middle);
  const at = space > 0 && space < text.length - 1 ? space : middle;
  return [text.slice(0, at), text.slice(at)];
}

function meanVector(parts: Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0]!;
  const sum = new Float32Array(parts[0]!.length);
  for (const part of parts) for (let i = 0; i < sum.length; i++) sum[i]! += part[i]!;
  const norm = Math.hypot(...sum);
  return norm === 0 ? sum : sum.map((value) => value / norm);
}

function dot(a: Float32Array | undefined, b: Float32Array | undefined): number | null {
  if (!a || !b) return null;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
