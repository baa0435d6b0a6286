import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import {
  AutoModel,
  AutoTokenizer,
  env,
  type PreTrainedModel,
  type PreTrainedTokenizer,
  type Tensor,
} from "@xenova/transformers";
import { AppError } from "../../../shared/errors.ts";

/** The window that all-MiniLM-L6-v2 was trained with; its position table goes to 512, its quality does not. */
const MAX_TOKENS = 256;
const FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model_quantized.onnx"];

/**
 * A sentence-transformers model in ONNX form, read from a folder and from nowhere else: mean pooling, unit vectors.
 * Errors: EMBEDDER_UNAVAILABLE when a file is missing or broken.
 */
export async function createOnnxEmbedder(modelDir: string) {
  const missing = FILES.filter((file) => !existsSync(join(modelDir, file)));
  if (missing.length > 0) throw unavailable(`${modelDir} has no ${missing.join(", ")}`);
  const { tokenizer, model } = await load(modelDir).catch((cause: unknown) => {
    throw unavailable(`The embedding model in ${modelDir} cannot be loaded`, cause);
  });
  const sha256 = createHash("sha256")
    .update(await readFile(join(modelDir, FILES[3]!)))
    .digest("hex");
  const nDims = (await embedOne(tokenizer, model, "dimensions")).length;

  return {
    space: async () => ({ model: basename(modelDir), sha256, nDims, maxTokens: MAX_TOKENS }),
    /** One text at a time: a batch is padded to its longest text, which costs more than it gains here. Errors: CONTEXT_OVERFLOW. */
    async embed(texts: string[]): Promise<Float32Array[]> {
      const vectors: Float32Array[] = [];
      for (const text of texts) vectors.push(await embedOne(tokenizer, model, text));
      return vectors;
    },
    countTokens: async (texts: string[]): Promise<number[]> =>
      texts.map((text) => tokenizer.encode(text, { add_special_tokens: false }).length),
  };
}

async function load(modelDir: string): Promise<{ tokenizer: PreTrainedTokenizer; model: PreTrainedModel }> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(modelDir);
  const name = basename(modelDir);
  const tokenizer = await AutoTokenizer.from_pretrained(name, { local_files_only: true });
  const model = await AutoModel.from_pretrained(name, {
    local_files_only: true,
    dtype: "q8",
    session_options: {
      // the arena keeps the memory of the longest text for ever
      enableCpuMemArena: false,
      intraOpNumThreads: Math.min(4, availableParallelism()),
      // threads that spin while they wait double the work of a text, and starve whatever else runs on the machine
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    },
  });
  return { tokenizer, model };
}

async function embedOne(tokenizer: PreTrainedTokenizer, model: PreTrainedModel, text: string): Promise<Float32Array> {
  // the tokenizer's own file asks for a cut at 128 tokens, and a cut would be silent
  const encoded = tokenizer(text, { truncation: false, padding: false }) as { input_ids: Tensor };
  const nTokens = encoded.input_ids.dims[1]!;
  if (nTokens > MAX_TOKENS) {
    throw new AppError("CONTEXT_OVERFLOW", `A text of ${nTokens} tokens does not fit the embedder's ${MAX_TOKENS}`, {
      details: { nTokens, maxTokens: MAX_TOKENS },
    });
  }
  const { last_hidden_state: hidden } = (await model(encoded)) as { last_hidden_state: Tensor };
  return unitMean(hidden.data as Float32Array, nTokens, hidden.dims[2]!);
}

/** Mean over the tokens of hidden, shape (n_tokens, n_dims), at length 1. One text has no padding to leave out. */
function unitMean(hidden: Float32Array, nTokens: number, nDims: number): Float32Array {
  const sum = new Float64Array(nDims);
  for (let token = 0; token < nTokens; token++) {
    for (let dim = 0; dim < nDims; dim++) sum[dim]! += hidden[token * nDims + dim]!;
  }
  const norm = Math.hypot(...sum) || 1;
  return Float32Array.from(sum, (value) => value / norm);
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError("EMBEDDER_UNAVAILABLE", message, {
    hint: "Fetch it with: models get all-minilm-l6-v2",
    cause,
  });
}
