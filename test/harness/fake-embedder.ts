import { createHash } from "node:crypto";
import type { Embedder } from "../../main/engine/embedding/index.ts";

const N_DIMS = 32;

/**
 * Words as tokens, and the mean of their hashed directions as the vector: texts with common words are near each other,
 * the same text always gives the same vector.
 */
export function createFakeEmbedder(
  options: { maxTokens?: number; delayMs?: number } = {},
): Embedder & { nEmbedded(): number } {
  const { maxTokens = 256, delayMs = 0 } = options;
  let nEmbedded = 0;
  return {
    nEmbedded: () => nEmbedded,
    space: async () => ({ model: "fake", sha256: "0".repeat(64), nDims: N_DIMS, maxTokens }),
    async embed(texts, signal) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      signal?.throwIfAborted();
      nEmbedded += texts.length;
      return texts.map((text) => {
        const nTokens = tokensOf(text).length;
        if (nTokens + 2 > maxTokens)
          throw new Error(`a text of ${nTokens} tokens was given to a window of ${maxTokens}`);
        return vectorOf(text);
      });
    },
    countTokens: async (texts) => texts.map((text) => tokensOf(text).length),
  };
}

function tokensOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? [];
}

function vectorOf(text: string): Float32Array {
  const sum = new Float64Array(N_DIMS).fill(1e-6);
  for (const token of tokensOf(text)) {
    const bytes = createHash("sha256").update(token.toLowerCase()).digest();
    for (let dim = 0; dim < N_DIMS; dim++) sum[dim]! += bytes[dim]! / 127.5 - 1;
  }
  const norm = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => value / norm);
}
