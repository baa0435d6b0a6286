import { z } from "zod";
import { ChunkId, DocumentId, JobId, ReflectionId } from "../ids.ts";
import { command, query } from "./define.ts";

export const CritiquePoint = z.object({
  ordinal: z.int(),
  point: z.string(),
  /** Whether the next thinking acted on it. */
  actedOn: z.boolean(),
  /** Indices of the sentences of the improved thinking that act on it. */
  changedSentences: z.array(z.int()),
});
export type CritiquePoint = z.infer<typeof CritiquePoint>;

export const IterationMetrics = z.object({
  /** Cosine similarity of the embedding to that of the iteration before; null for iteration 0. */
  thinkingSimilarity: z.number().nullable(),
  answerSimilarity: z.number().nullable(),
  /** Share of the sentences that differ from the iteration before, 0..1; null for iteration 0. */
  changedShare: z.number().nullable(),
  nThinkingWords: z.int(),
  nAnswerWords: z.int(),
  /** Share of repeated 4-grams in the answer, 0..1. */
  repetition: z.number(),
});
export type IterationMetrics = z.infer<typeof IterationMetrics>;

export const SourceSpan = z.object({
  chunkId: ChunkId,
  documentId: DocumentId,
  title: z.string(),
  page: z.int(),
  start: z.int(),
  end: z.int(),
  text: z.string(),
});
export type SourceSpan = z.infer<typeof SourceSpan>;

/** Iteration 0 is the policy's own draft; iteration i > 0 is critique, improved thinking and a new answer. */
export const Iteration = z.object({
  index: z.int(),
  thinking: z.string(),
  reflection: z.string(),
  answer: z.string(),
  /** The critique of the previous iteration's thinking that led to this one; empty for iteration 0. */
  critique: z.array(CritiquePoint),
  /** The thinking after the critique, as pre-filled for this answer; null for iteration 0. */
  improvedThinking: z.string().nullable(),
  /** What was wrong with the form of the model's output. */
  problems: z.array(z.string()),
  metrics: IterationMetrics,
  tokens: z.int(),
  tookMs: z.number(),
});
export type Iteration = z.infer<typeof Iteration>;

export const ReflectionRow = z.object({
  id: ReflectionId,
  jobId: JobId.nullable(),
  question: z.string(),
  status: z.enum(["running", "succeeded", "failed", "cancelled"]),
  model: z.string(),
  adapter: z.string().nullable(),
  critic: z.string().nullable(),
  nIterations: z.int(),
  nFinished: z.int(),
  createdAt: z.int(),
});
export type ReflectionRow = z.infer<typeof ReflectionRow>;

export const ReflectionDetail = ReflectionRow.extend({
  iterations: z.array(Iteration),
  sources: z.array(SourceSpan),
  final: z.string().nullable(),
  integrated: z.string().nullable(),
  stopReason: z.enum(["n_reached", "converged", "degraded"]).nullable(),
  /** Every setting that a replay needs: samplers, seeds, threads, library, prompt set. */
  settings: z.record(z.string(), z.unknown()),
});
export type ReflectionDetail = z.infer<typeof ReflectionDetail>;

export const ReflectInput = z.strictObject({
  question: z.string().min(1).max(8000),
  /** A model's name, id or absolute path. */
  model: z.string().min(1),
  adapter: z.string().optional(),
  critic: z.string().optional(),
  iterations: z.int().min(0).max(20).optional(),
  integrate: z.boolean().optional(),
  retrieve: z.boolean().optional(),
  /** The prompts of all roles; absent: each model's size decides. */
  promptSet: z
    .string()
    .regex(/^[\w-]+$/)
    .optional(),
  seed: z.int().optional(),
});
export type ReflectInput = z.infer<typeof ReflectInput>;

export const reflection = {
  start: command({ input: ReflectInput, output: z.object({ reflectionId: ReflectionId, jobId: JobId }) }),
  list: query({ input: z.strictObject({}), output: z.array(ReflectionRow) }),
  get: query({ input: z.strictObject({ reflectionId: ReflectionId }), output: ReflectionDetail }),
};
export type ReflectionEvents = {
  "reflection.changed": { reflectionId: ReflectionId };
  /** New text of the part being written, batched at about 30 ms. */
  "reflection.text": {
    reflectionId: ReflectionId;
    index: number;
    part: "thinking" | "answer" | "critique" | "improvedThinking" | "integrated";
    text: string;
  };
};
