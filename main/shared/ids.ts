import { z } from "zod";

/** Branded UUIDv7 strings, so that a ChunkId cannot be passed for a DocumentId. */
export const DocumentId = z.uuid().brand<"DocumentId">();
export type DocumentId = z.infer<typeof DocumentId>;
export const ChunkId = z.uuid().brand<"ChunkId">();
export type ChunkId = z.infer<typeof ChunkId>;
export const JobId = z.uuid().brand<"JobId">();
export type JobId = z.infer<typeof JobId>;
export const ModelId = z.uuid().brand<"ModelId">();
export type ModelId = z.infer<typeof ModelId>;
export const AdapterId = z.uuid().brand<"AdapterId">();
export type AdapterId = z.infer<typeof AdapterId>;
export const PairId = z.uuid().brand<"PairId">();
export type PairId = z.infer<typeof PairId>;
export const TrainingRunId = z.uuid().brand<"TrainingRunId">();
export type TrainingRunId = z.infer<typeof TrainingRunId>;
export const ReflectionId = z.uuid().brand<"ReflectionId">();
export type ReflectionId = z.infer<typeof ReflectionId>;
export const ConceptId = z.uuid().brand<"ConceptId">();
export type ConceptId = z.infer<typeof ConceptId>;
export const RelationId = z.uuid().brand<"RelationId">();
export type RelationId = z.infer<typeof RelationId>;
