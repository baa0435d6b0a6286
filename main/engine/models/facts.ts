import { basename } from "node:path";
import type { AdapterFacts, ModelFacts } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import type { Trainability } from "../devices/index.ts";
import {
  arrayLengthOf,
  countParameters,
  type GgufHeader,
  numberOf,
  readAdapter,
  readGgufHeader,
  textOf,
} from "../gguf/index.ts";

export type HeaderFacts = Omit<
  ModelFacts,
  "notes" | "slidingWindow" | "trainable" | "notTrainableReason" | "trainingMemory"
> & {
  otherPurpose: OtherPurpose | null;
};

/** What the header of a GGUF says of itself, without loading it. Errors: MODEL_NOT_FOUND, MODEL_INVALID. */
export async function readHeaderFacts(path: string): Promise<HeaderFacts> {
  const header = await readGgufHeader(path);
  const architecture = textOf(header, "general.architecture");
  if (!architecture) throw new AppError("MODEL_INVALID", `${path} names no architecture`);
  if (textOf(header, "general.type") === "adapter")
    throw new AppError("MODEL_INVALID", `${path} is an adapter, not a model`, {
      hint: "Use `adapter inspect`, and give the adapter beside its base model.",
    });
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
    ...purposeOf(header, architecture),
  };
}

/** Together with the trainer's answer, and with the chat template that the user gave. */
export function modelFacts(header: HeaderFacts, trained: Trainability, givenTemplate: string | null): ModelFacts {
  const { otherPurpose, ...facts } = header;
  const hasChatTemplate = facts.hasChatTemplate || givenTemplate !== null;
  const { trainable, reason, slidingWindow, trainingMemory } = trained;
  return {
    ...facts,
    hasChatTemplate,
    notes: otherPurpose
      ? [`${otherPurpose.is}. ${otherPurpose.nextStep}`]
      : notesOf(facts, hasChatTemplate, slidingWindow),
    slidingWindow,
    trainable: trainable && otherPurpose === null,
    notTrainableReason: otherPurpose?.is ?? reason,
    trainingMemory,
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

type OtherPurpose = { is: string; nextStep: string };

/** Files that many take for a chat model: they carry the same ending and often the same name. */
function purposeOf(
  header: GgufHeader,
  architecture: string,
): { purpose: ModelFacts["purpose"]; otherPurpose: OtherPurpose | null } {
  const other = (purpose: ModelFacts["purpose"], is: string, nextStep: string) => ({
    purpose,
    otherPurpose: { is, nextStep },
  });
  if (textOf(header, "general.type") === "mmproj" || architecture === "clip")
    return other(
      "projector",
      "It is a vision projector (mmproj), not a chat model",
      "Add the language model that it belongs to; images are not read here.",
    );
  const nParts = numberOf(header, "split.count") ?? 1;
  if (nParts > 1)
    return other(
      "part",
      `It is part ${(numberOf(header, "split.no") ?? 0) + 1} of ${nParts} of a split file`,
      "Join the parts with llama.cpp's `llama-gguf-split --merge FIRST-PART JOINED.gguf`, and add the joined file.",
    );
  if (EMBEDDING_ARCHITECTURE.test(architecture) || (numberOf(header, `${architecture}.pooling_type`) ?? 0) > 0)
    return other(
      "embedding",
      "It is an embedding model, not a chat model",
      "Choose an instruction-tuned language model; the embedder comes with the program.",
    );
  if (header.tensors.length === 0)
    return other("vocabulary", "It holds no weights, only a vocabulary", "Get the whole model.");
  return { purpose: "text", otherPurpose: null };
}

/** Encoders, which give vectors and no text. Other embedding models say how they pool their vectors. */
const EMBEDDING_ARCHITECTURE = /bert|embedding|^t5encoder$/;
const SHORT_CONTEXT_TOKENS = 2048;

function notesOf(
  facts: Pick<ModelFacts, "contextLength">,
  hasChatTemplate: boolean,
  slidingWindow: number | null,
): string[] {
  const notes: string[] = [];
  if (!hasChatTemplate)
    notes.push(
      "It has no chat template, as base models have none: it cannot be asked or trained before one is given with `models add PATH --chat-template FILE`.",
    );
  const window = slidingWindow ?? facts.contextLength;
  if (window > 0 && window < SHORT_CONTEXT_TOKENS)
    notes.push(
      `Its ${slidingWindow === null ? "context" : "sliding window"} is ${window} tokens: longer pairs are dropped or cut in training, and counted.`,
    );
  return notes;
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
