import { z } from "zod";
import { command, query, stream } from "../../../shared/contract/define.ts";

const ModelBinding = z.strictObject({ modelPath: z.string().min(1), adapterPath: z.string().min(1).nullable() });
const Messages = z.array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() }));
/** Instead of the one in the model file. */
const ChatTemplateText = z.string().min(1).optional();
const TokenIds = z.array(z.int().min(0));

export const SamplerSchema = z.strictObject({
  temperature: z.number().min(0),
  topK: z.int().min(0).optional(),
  topP: z.number().min(0).max(1).optional(),
  minP: z.number().min(0).max(1).optional(),
  seed: z.int().min(0),
  repeatPenalty: z.number().min(1).optional(),
  dry: z.strictObject({ strength: z.number(), allowedLength: z.int() }).optional(),
  maxTokens: z.int().min(1),
  stop: z.array(z.string().min(1)).optional(),
});

const GenerateEnd = z.object({
  kind: z.literal("end"),
  nPromptTokens: z.int(),
  nTokens: z.int(),
  stopReason: z.enum(["end_of_turn", "stop_text", "max_tokens"]),
  tookMs: z.number(),
});

/** Which variant of llama.cpp's library: false computes on the processor, "auto" lets the library look for itself. */
const Gpu = z.union([z.enum(["auto", "cuda", "vulkan", "metal"]), z.literal(false)]);
export type Gpu = z.infer<typeof Gpu>;

/** What the model host serves to the engine. It holds no state that its death could lose. */
export const hostContract = {
  host: {
    facts: query({
      input: z.strictObject({}),
      output: z.object({ libraryVersion: z.string(), threads: z.int(), pid: z.int() }),
    }),
    /** For the calls that follow; another variant than before unloads the models. */
    use: command({ input: z.strictObject({ gpu: Gpu }), output: z.object({}) }),
    unload: command({ input: z.strictObject({}), output: z.object({}) }),
  },
  chat: {
    /** Text as it comes, then one end item. */
    generate: stream({
      input: ModelBinding.extend({
        messages: Messages,
        chatTemplate: ChatTemplateText,
        prefill: z.string().optional(),
        sampler: SamplerSchema,
        jsonSchema: z.record(z.string(), z.unknown()).optional(),
      }),
      item: z.discriminatedUnion("kind", [z.object({ kind: z.literal("text"), text: z.string() }), GenerateEnd]),
    }),
    encodePair: query({
      input: z.strictObject({
        modelPath: z.string().min(1),
        messages: Messages,
        chatTemplate: ChatTemplateText,
        chosen: z.string(),
        rejected: z.string(),
      }),
      output: z.object({ prompt: TokenIds, chosen: TokenIds, rejected: TokenIds }),
    }),
    logProbs: query({
      input: ModelBinding.extend({
        sequences: z.array(
          z.strictObject({ ids: TokenIds, from: z.int().min(1), positions: z.array(z.int().min(1)).optional() }),
        ),
      }),
      output: z.array(z.array(z.number())),
    }),
  },
  embedding: {
    /** modelDir holds config.json, tokenizer.json, tokenizer_config.json and onnx/model_quantized.onnx. */
    space: query({
      input: z.strictObject({ modelDir: z.string().min(1) }),
      output: z.object({ model: z.string(), sha256: z.string(), nDims: z.int(), maxTokens: z.int() }),
    }),
    embed: query({
      input: z.strictObject({ modelDir: z.string().min(1), texts: z.array(z.string()).max(256) }),
      output: z.array(z.instanceof(Float32Array)),
    }),
    countTokens: query({
      input: z.strictObject({ modelDir: z.string().min(1), texts: z.array(z.string()).max(4096) }),
      output: z.array(z.int()),
    }),
  },
};
export type HostContract = typeof hostContract;
