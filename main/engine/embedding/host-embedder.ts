import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { type ModelHost, type ModelHostClient, repeatAfterCrash } from "../inference/index.ts";
import type { Embedder, EmbeddingSpace } from "./embedder.ts";

/** The limits of one call in the host's contract. */
const MAX_TEXTS_PER_EMBED = 256;
const MAX_TEXTS_PER_COUNT = 4096;

/** The embedder that lives in the model host. A missing model is told without starting a process. */
export function createHostEmbedder(host: Pick<ModelHost, "call">, modelDir: string): Embedder {
  let known: EmbeddingSpace | undefined;

  function check(): void {
    if (existsSync(join(modelDir, "onnx", "model_quantized.onnx"))) return;
    throw new AppError("EMBEDDER_UNAVAILABLE", `The embedding model is not in ${modelDir}`, {
      hint: "Fetch it with: models get all-minilm-l6-v2",
    });
  }

  const call = <T>(doing: string, signal: AbortSignal | undefined, run: (client: ModelHostClient) => Promise<T>) =>
    repeatAfterCrash(() => host.call(doing, run), signal);

  return {
    async space() {
      check();
      known ??= await call("loading the embedder", undefined, (client) => client.embedding.space({ modelDir }));
      return known;
    },
    async embed(texts, signal) {
      check();
      const vectors: Float32Array[] = [];
      for (const part of slices(texts, MAX_TEXTS_PER_EMBED)) {
        const input = { modelDir, texts: part };
        vectors.push(...(await call("embedding", signal, (client) => client.embedding.embed(input, optional(signal)))));
      }
      return vectors;
    },
    async countTokens(texts, signal) {
      check();
      const counts: number[] = [];
      for (const part of slices(texts, MAX_TEXTS_PER_COUNT)) {
        const input = { modelDir, texts: part };
        counts.push(
          ...(await call("counting tokens", signal, (client) => client.embedding.countTokens(input, optional(signal)))),
        );
      }
      return counts;
    },
  };
}

function optional(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal ? { signal } : {};
}

function slices<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
