import { z } from "zod";
import { ChunkId, ConceptId, DocumentId, JobId, RelationId } from "../ids.ts";
import { command, query } from "./define.ts";

export const ConceptType = z.enum([
  "material",
  "structure",
  "property",
  "process",
  "method",
  "function",
  "organism",
  "other",
]);
export type ConceptType = z.infer<typeof ConceptType>;

export const ConceptRow = z.object({
  id: ConceptId,
  label: z.string(),
  type: ConceptType,
  nEvidence: z.int(),
  /** The round of pair generation in which it first appeared. */
  firstRound: z.int(),
  /** Stored layout position; null before the first layout. */
  x: z.number().nullable(),
  y: z.number().nullable(),
});
export type ConceptRow = z.infer<typeof ConceptRow>;

export const RelationRow = z.object({
  id: RelationId,
  sourceId: ConceptId,
  targetId: ConceptId,
  type: z.string(),
  nEvidence: z.int(),
  firstRound: z.int(),
});
export type RelationRow = z.infer<typeof RelationRow>;

/** The sentence that speaks for a concept or a relation, and what it rests on. */
export const EvidenceRow = z.object({
  sentence: z.string(),
  /** A sentence of the papers, a model's own reasoning, or nobody knows (imported pairs). */
  basis: z.enum(["papers", "model", "unknown"]),
  /** What the paper says at start..end of the page, word for word; null without one. */
  quote: z.string().nullable(),
  sourceKind: z.enum(["pair", "chunk", "reflection"]),
  sourceId: z.string(),
  section: z.string().nullable(),
  chunkId: ChunkId.nullable(),
  documentId: DocumentId.nullable(),
  title: z.string().nullable(),
  page: z.int().nullable(),
  start: z.int().nullable(),
  end: z.int().nullable(),
  round: z.int(),
  createdAt: z.int(),
});
export type EvidenceRow = z.infer<typeof EvidenceRow>;

export const GraphStats = z.object({
  nConcepts: z.int(),
  nRelations: z.int(),
  nEvidence: z.int(),
  byType: z.record(z.string(), z.int()),
  byRelation: z.record(z.string(), z.int()),
});
export type GraphStats = z.infer<typeof GraphStats>;

export const graph = {
  get: query({
    input: z.strictObject({}),
    output: z.object({ concepts: z.array(ConceptRow), relations: z.array(RelationRow) }),
  }),
  stats: query({ input: z.strictObject({}), output: GraphStats }),
  evidence: query({
    input: z.strictObject({ conceptId: ConceptId.optional(), relationId: RelationId.optional() }),
    output: z.array(EvidenceRow),
  }),
  /** Shortest chain of relations between two concepts; empty when there is none. */
  path: query({
    input: z.strictObject({ fromId: ConceptId, toId: ConceptId }),
    output: z.object({ conceptIds: z.array(ConceptId), relationIds: z.array(RelationId) }),
  }),
  savePositions: command({
    input: z.strictObject({
      positions: z.array(z.strictObject({ id: ConceptId, x: z.number(), y: z.number() })).max(50_000),
    }),
    output: z.object({}),
  }),
  export: command({
    input: z.strictObject({ path: z.string().min(1), format: z.enum(["graphml", "gexf", "json"]) }),
    output: z.object({ path: z.string(), nConcepts: z.int(), nRelations: z.int() }),
  }),
  /** Reads every pair's thinking again and rebuilds concepts and relations. */
  build: command({ input: z.strictObject({}), output: z.object({ jobId: JobId }) }),
};
export type GraphEvents = { "graph.changed": Record<string, never> };
