import { basename } from "node:path";
import type { AdapterFacts, ModelFacts } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import {
  arrayLengthOf,
  countParameters,
  type GgufHeader,
  numberOf,
  readAdapter,
  readGgufHeader,
  textOf,
} from "../gguf/index.ts";

/** What native-trainer trains; it checks again, tensor by tensor, before a run. */
const TRAINABLE_ARCHITECTURES = new Set(["llama", "qwen2", "qwen3", "smollm3", "gemma3"]);
const TRAINABLE_TYPES = new Set(
  (
    "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS IQ3_S IQ3_XXS " +
    "IQ2_S IQ2_XS IQ2_XXS IQ1_M IQ1_S TQ1_0 TQ2_0 MXFP4 NVFP4 Q1_0 Q2_0"
  ).split(" "),
);

/** Reads the header of a GGUF without loading it. Errors: MODEL_NOT_FOUND, MODEL_INVALID. */
export async function readModelFacts(path: string): Promise<ModelFacts> {
  const header = await readGgufHeader(path);
  const architecture = textOf(header, "general.architecture");
  if (!architecture) throw new AppError("MODEL_INVALID", `${path} names no architecture`);
  if (textOf(header, "general.type") === "adapter")
    throw new AppError("MODEL_INVALID", `${path} is an adapter, not a model`, {
      hint: "Use `adapter inspect`, and give the adapter beside its base model.",
    });
  const notTrainableReason = whyNotTrainable(header, architecture);
  return {
    name: textOf(header, "general.name") ?? nameFromPath(path),
    path,
    architecture,
    quantisation: dominantType(header),
    sizeBytes: header.sizeBytes,
    nParameters: header.tensors.length > 0 ? countParameters(header) : null,
    contextLength: numberOf(header, `${architecture}.context_length`) ?? 0,
    vocabularySize:
      arrayLengthOf(header, "tokenizer.ggml.tokens") ?? numberOf(header, `${architecture}.vocab_size`) ?? 0,
    licence: textOf(header, "general.license"),
    hasChatTemplate: textOf(header, "tokenizer.chat_template") !== null,
    trainable: notTrainableReason === null,
    notTrainableReason,
  };
}

/** Errors: MODEL_NOT_FOUND, ADAPTER_INVALID. */
export async function readAdapterFacts(path: string): Promise<AdapterFacts> {
  const adapter = await readAdapter(path);
  const targets = adapter.targets.map(({ base }) => base.replace(/^blk\.\d+\./, "").replace(/\.weight$/, ""));
  return {
    path,
    architecture: adapter.architecture,
    r: adapter.r,
    alpha: adapter.alpha,
    nTensors: adapter.header.tensors.length,
    targets: [...new Set(targets)],
    sizeBytes: adapter.header.sizeBytes,
  };
}

export function nameFromPath(path: string): string {
  return basename(path).replace(/\.gguf$/i, "");
}

function whyNotTrainable(header: GgufHeader, architecture: string): string | null {
  if (!TRAINABLE_ARCHITECTURES.has(architecture)) return `the architecture ${architecture} cannot be trained yet`;
  if ((numberOf(header, `${architecture}.expert_count`) ?? 0) > 0) return "mixtures of experts cannot be trained yet";
  if ((numberOf(header, "split.count") ?? 1) > 1) return "it is split over several files";
  if (header.tensors.length === 0) return "the file holds no weights";
  const foreign = header.tensors.find(({ type }) => !TRAINABLE_TYPES.has(type.name));
  return foreign ? `the tensor ${foreign.name} has the type ${foreign.type.name}, which cannot be trained yet` : null;
}

/** The type that holds most of the weights: what people mean by "a Q4_1 model". */
function dominantType(header: GgufHeader): string {
  const nWeights = new Map<string, number>();
  for (const { type, shape } of header.tensors) {
    const n = shape.reduce((product, length) => product * length, 1);
    nWeights.set(type.name, (nWeights.get(type.name) ?? 0) + n);
  }
  return [...nWeights].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "none";
}
