import { z } from "zod";
import { AdapterId, JobId, ModelId } from "../ids.ts";
import { MarkerSet } from "../markers.ts";
import { command, query } from "./define.ts";

/** What training a model takes on one device, by the trainer's own plans: see native-trainer/README.md, "Memory". */
export const TrainingMemory = z.object({
  device: z.string(),
  /** Of each plan, in the order in which they are tried; the last one is the smallest. */
  plansMb: z.array(z.int()).min(1),
});
export type TrainingMemory = z.infer<typeof TrainingMemory>;

/** The answer to "can this model be trained here, on which device, with how much memory"; describe-training.ts says it in words. */
export const TrainingAnswer = z.object({
  isTrainable: z.boolean(),
  /** Why not; null when it is. */
  reason: z.string().nullable(),
  /** The chosen device; null when none is to be had. */
  device: z.string().nullable(),
  /** What training takes there, for LoRA with r 16 on every target and max_length 1024; null when it is not known. */
  memoryMb: z.int().nullable(),
  freeMb: z.int().nullable(),
  fits: z.boolean().nullable(),
});
export type TrainingAnswer = z.infer<typeof TrainingAnswer>;

export const ModelFacts = z.object({
  name: z.string(),
  path: z.string(),
  architecture: z.string(),
  /** llama.cpp's name of the dominant tensor type, for example Q4_1. */
  quantisation: z.string(),
  sizeBytes: z.int(),
  nParameters: z.number().nullable(),
  contextLength: z.int(),
  vocabularySize: z.int(),
  licence: z.string().nullable(),
  /** In the file, or given with `models add --chat-template`. */
  hasChatTemplate: z.boolean(),
  /** What the file is for. Only a text model can answer and be trained; the others are named and refused. */
  purpose: z.enum(["text", "embedding", "projector", "part", "vocabulary"]),
  /** What is worth knowing before the model is used, each a sentence. */
  notes: z.array(z.string()),
  /** Layers of the model see no further than so many tokens, and longer pairs cannot be trained. */
  slidingWindow: z.int().nullable(),
  /** The trainer's own answer. */
  trainable: z.boolean(),
  /** Why it cannot be trained, in words; null when it can. */
  notTrainableReason: z.string().nullable(),
  trainingMemory: TrainingMemory.nullable(),
});
export type ModelFacts = z.infer<typeof ModelFacts>;

/** A model file as it is on this machine. */
export const ModelAnswer = ModelFacts.extend({ training: TrainingAnswer });
export type ModelAnswer = z.infer<typeof ModelAnswer>;

export const ModelRow = ModelAnswer.extend({
  id: ModelId,
  sha256: z.string(),
  /** What stands around thinking when this model is asked for it without an adapter; null is the default set. */
  markers: MarkerSet.nullable(),
  addedAt: z.int(),
  isPresent: z.boolean(),
});
export type ModelRow = z.infer<typeof ModelRow>;

/** A file that `models get` knows how to obtain and check. */
export const CatalogEntry = z.object({
  name: z.string(),
  kind: z.enum(["chat", "embedder"]),
  description: z.string(),
  licence: z.string(),
  sizeBytes: z.int(),
  isPresent: z.boolean(),
});
export type CatalogEntry = z.infer<typeof CatalogEntry>;

export const AdapterFacts = z.object({
  path: z.string(),
  architecture: z.string(),
  r: z.int(),
  alpha: z.number(),
  nTensors: z.int(),
  targets: z.array(z.string()),
  sizeBytes: z.int(),
});
export type AdapterFacts = z.infer<typeof AdapterFacts>;

export const AdapterRow = AdapterFacts.extend({
  id: AdapterId,
  name: z.string(),
  sha256: z.string(),
  modelId: ModelId.nullable(),
  modelName: z.string().nullable(),
  trainingRunId: z.string().nullable(),
  createdAt: z.int(),
  /** What stands around the thinking in the pairs that it was trained on; null when that is not known. */
  markers: MarkerSet.nullable(),
  parityVerdict: z.enum(["passed", "failed", "not_provable", "not_checked"]),
});
export type AdapterRow = z.infer<typeof AdapterRow>;

export const ParityRow = z.object({
  id: z.string(),
  side: z.enum(["chosen", "rejected"]),
  nTokens: z.int(),
  trainerLogpSum: z.number(),
  llamaLogpSum: z.number(),
  /** |trainer - llama.cpp| of the log-prob of a token: mean and largest of the response. */
  meanAbsDifference: z.number(),
  maxAbsDifference: z.number(),
});
export type ParityRow = z.infer<typeof ParityRow>;

/**
 * The adapter's effect in the trainer and in llama.cpp on the same tokens: root mean squares of the change of a token's
 * log-prob. Null: not finite, or no change was trained.
 */
export const ParityMeasurement = z.object({
  /** The base model's weights: as they are in its file, or the same ones in F32, on which rounding hides less. */
  weights: z.enum(["as_is", "f32"]),
  nTokens: z.int(),
  changeTrained: z.number().nullable(),
  changeSeen: z.number().nullable(),
  /** By how much the two programs differ on the base model alone: what rounding does on this machine. */
  noise: z.number().nullable(),
  /** How much of the trained change llama.cpp shows (1 = all of it), and how far off that may be. */
  share: z.number().nullable(),
  uncertainty: z.number().nullable(),
  /** What is left of the seen change when that share of the trained one is taken away. */
  unexplained: z.number().nullable(),
});
export type ParityMeasurement = z.infer<typeof ParityMeasurement>;

/** Proof that an adapter file does to llama.cpp what it was trained to do. */
export const ParityReport = z.object({
  /** not_provable: no fault was found, but rounding hides whether the adapter does all of what was trained. */
  verdict: z.enum(["passed", "failed", "not_provable"]),
  /** Why the verdict is not "passed", in words. */
  reasons: z.array(z.string()),
  /** One, or two with the sharper one last. */
  measurements: z.array(ParityMeasurement),
  endsWithEndOfTurn: z.boolean().nullable(),
  /** The compared tokens by response, of the last measurement. */
  rows: z.array(ParityRow),
  modelName: z.string(),
  adapterPath: z.string(),
  checkedAt: z.int(),
});
export type ParityReport = z.infer<typeof ParityReport>;

export const model = {
  list: query({ input: z.strictObject({}), output: z.array(ModelRow) }),
  catalog: query({ input: z.strictObject({}), output: z.array(CatalogEntry) }),
  /** Reads the header of a GGUF without loading it. */
  inspect: query({ input: z.strictObject({ path: z.string().min(1) }), output: ModelAnswer }),
  add: command({
    input: z.strictObject({
      path: z.string().min(1),
      /** A file with a chat template in Jinja, for a model that has none or a wrong one. */
      chatTemplate: z.string().min(1).optional(),
    }),
    output: ModelRow,
  }),
  /** Obtains a catalogue entry: cache, then its sources in order; checked by SHA-256. The only call that may use the network. */
  get: command({ input: z.strictObject({ name: z.string().min(1) }), output: z.object({ jobId: JobId }) }),
  /** Enters the marker set that a model was tuned with elsewhere; null goes back to the default one. */
  setMarkers: command({
    input: z.strictObject({ model: z.string().min(1), markers: MarkerSet.nullable() }),
    output: ModelRow,
  }),
  listAdapters: query({ input: z.strictObject({}), output: z.array(AdapterRow) }),
  inspectAdapter: query({ input: z.strictObject({ path: z.string().min(1) }), output: AdapterFacts }),
  verifyAdapter: command({
    input: z.strictObject({ adapter: z.string().min(1), model: z.string().min(1) }),
    output: z.object({ jobId: JobId }),
  }),
};
export type ModelEvents = { "model.changed": Record<string, never> };
