import { z } from "zod";
import { AdapterId, JobId, ModelId } from "../ids.ts";
import { command, query } from "./define.ts";

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
  hasChatTemplate: z.boolean(),
  trainable: z.boolean(),
  /** Why it cannot be trained, in words; null when it can. */
  notTrainableReason: z.string().nullable(),
});
export type ModelFacts = z.infer<typeof ModelFacts>;

export const ModelRow = ModelFacts.extend({
  id: ModelId,
  sha256: z.string(),
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
  parityVerdict: z.enum(["passed", "failed", "not_checked"]),
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
/** Proof that an adapter file means the same to llama.cpp as to the trainer. */
export const ParityReport = z.object({
  verdict: z.enum(["passed", "failed"]),
  /** Each reason of a failed verdict in words. */
  reasons: z.array(z.string()),
  /** What the tolerance limits: the difference of every single token, or their mean over all probes. */
  measure: z.enum(["max_abs_difference", "mean_abs_difference"]),
  tolerance: z.number(),
  maxAbsDifference: z.number().nullable(),
  meanAbsDifference: z.number().nullable(),
  /** The mean for the base model without adapter: what rounding alone does on this model. */
  baseMeanAbsDifference: z.number().nullable(),
  /** Mean |log-prob with adapter - without|: a parity that holds because the adapter does nothing is reported. */
  adapterEffect: z.number().nullable(),
  endsWithEndOfTurn: z.boolean().nullable(),
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
  inspect: query({ input: z.strictObject({ path: z.string().min(1) }), output: ModelFacts }),
  add: command({ input: z.strictObject({ path: z.string().min(1) }), output: ModelRow }),
  /** Obtains a catalogue entry: cache, then its sources in order; checked by SHA-256. The only call that may use the network. */
  get: command({ input: z.strictObject({ name: z.string().min(1) }), output: z.object({ jobId: JobId }) }),
  listAdapters: query({ input: z.strictObject({}), output: z.array(AdapterRow) }),
  inspectAdapter: query({ input: z.strictObject({ path: z.string().min(1) }), output: AdapterFacts }),
  verifyAdapter: command({
    input: z.strictObject({ adapter: z.string().min(1), model: z.string().min(1) }),
    output: z.object({ jobId: JobId }),
  }),
};
export type ModelEvents = { "model.changed": Record<string, never> };
