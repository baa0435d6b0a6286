import { z } from "zod";
import { ChunkId, DocumentId, JobId, PairId } from "../ids.ts";
import { LossName } from "../loss.ts";
import { MarkerSet } from "../markers.ts";
import { command, query } from "./define.ts";

/** The name of a recipe's stage: letters, digits, - and _, since files are called after it. */
export const StageName = z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N}_-]{0,39}$/u);

/** A stage as rows carry it: its name, its place in the recipe, and its loss in words ("orpo", "dpo + 0.2 sft"). */
export const StageColumns = z.object({ stage: z.string(), stageIndex: z.int(), loss: z.string() });
export type StageColumns = z.infer<typeof StageColumns>;

export const PairSource = z.object({
  chunkId: ChunkId,
  documentId: DocumentId,
  title: z.string(),
  page: z.int(),
  start: z.int(),
  end: z.int(),
  score: z.number().nullable(),
  role: z.enum(["source", "retrieved"]),
});
export type PairSource = z.infer<typeof PairSource>;

/** A sentence of a page that a statement rests on; `quote` is the page's text from `start` to `end`, word for word. */
export const StatementSpan = z.object({
  chunkId: ChunkId,
  documentId: DocumentId,
  page: z.int(),
  start: z.int(),
  end: z.int(),
  quote: z.string(),
});
export type StatementSpan = z.infer<typeof StatementSpan>;

/** Without spans it is the model's own inference; null where nobody knows, as in imported pairs. */
export const Statement = z.object({ text: z.string(), spans: z.array(StatementSpan).nullable() });
export type Statement = z.infer<typeof Statement>;

export const ThinkingSection = z.object({ name: z.string(), statements: z.array(Statement) });
export type ThinkingSection = z.infer<typeof ThinkingSection>;

export const PairMessage = z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() });
/** A pair that came as token ids of one model's vocabulary, with the masks that it came with. */
export const PairTokens = z.object({
  prompt: z.array(z.int()),
  chosen: z.array(z.int()),
  rejected: z.array(z.int()),
  chosen_mask: z.array(z.union([z.literal(0), z.literal(1)])).optional(),
  rejected_mask: z.array(z.union([z.literal(0), z.literal(1)])).optional(),
});

export const PairStatus = z.enum(["accepted", "filtered"]);
export const PairRow = z.object({
  id: PairId,
  ...StageColumns.shape,
  round: z.int(),
  ordinal: z.int(),
  question: z.string(),
  chosen: z.string(),
  rejected: z.string(),
  thinking: z.array(ThinkingSection),
  /** What stands around thinking and reflection in both responses. */
  markers: MarkerSet,
  /** The whole prompt of an imported pair that has more than the question: a system prompt, earlier turns. */
  messages: z.array(PairMessage).nullable(),
  tokens: PairTokens.nullable(),
  status: PairStatus,
  /** Why it was filtered; null when accepted. */
  filterReason: z.string().nullable(),
  sources: z.array(PairSource),
  createdAt: z.int(),
});
export type PairRow = z.infer<typeof PairRow>;

/** Everything needed to make the pair again. */
export const PairProvenance = z.object({
  seed: z.int(),
  experimentId: z.string(),
  teacher: z.string(),
  policy: z.string(),
  policyAdapter: z.string().nullable(),
  promptSet: z.string(),
  promptHash: z.string(),
  /** Whether code picked and the teacher wrote single lines, or the teacher filled a schema; absent where it is not known. */
  writer: z.enum(["lines", "grammar"]).optional(),
  sampler: z.record(z.string(), z.unknown()),
  threads: z.int(),
  libraryVersion: z.string(),
  tookMs: z.record(z.string(), z.number()),
});
export type PairProvenance = z.infer<typeof PairProvenance>;

export const preference = {
  generate: command({
    input: z.strictObject({
      count: z.int().min(1).max(100_000),
      /** The name of one of the recipe's stages, or of its loss; absent: the first. */
      stage: z.string().optional(),
      recipe: z.string().optional(),
      teacher: z.string().optional(),
      policy: z.string().optional(),
      adapter: z.string().optional(),
      seed: z.int().optional(),
    }),
    output: z.object({ jobId: JobId }),
  }),
  list: query({
    input: z.strictObject({
      /** A stage's name, or the name of its loss. */
      stage: z.string().optional(),
      loss: LossName.optional(),
      status: PairStatus.optional(),
      limit: z.int().min(1).max(500).optional(),
    }),
    output: z.object({
      rows: z.array(PairRow),
      total: z.int(),
      /** Count of filtered pairs by reason. */
      filterCounts: z.record(z.string(), z.int()),
    }),
  }),
  /** Writes the accepted pairs: jsonl keeps every field, trl is {"prompt","chosen","rejected"} a line. */
  export: command({
    input: z.strictObject({ path: z.string().min(1), format: z.enum(["jsonl", "trl"]) }),
    output: z.object({ path: z.string(), nPairs: z.int() }),
  }),
  import: command({
    input: z.strictObject({ path: z.string().min(1) }),
    output: z.object({
      nPairs: z.int(),
      /** Of the file, but in the ledger already. */
      nSkipped: z.int(),
      /** What was left out of the file, with the lines: one sentence for each reason. */
      warnings: z.array(z.string()),
    }),
  }),
  get: query({ input: z.strictObject({ pairId: PairId }), output: PairRow.extend({ provenance: PairProvenance }) }),
};
export type PreferenceEvents = { "preference.changed": { pairIds: PairId[] } };
