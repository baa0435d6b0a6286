import type { ChunkRow } from "../../../shared/contract/corpus.ts";
import type { ChunkId, DocumentId } from "../../../shared/ids.ts";

/** Chunks by number, each loaded when it is asked for; undefined where it has gone since they were counted. */
export type EligibleChunks = { count: number; at(index: number): ChunkId | undefined };

/** What pair generation needs of the corpus. */
export type PairCorpus = {
  /** Chunks of ready documents on pages with good text, references left out, in a stable order. */
  eligibleChunks(): EligibleChunks;
  getChunk(id: ChunkId): ChunkRow;
  /** The chunk with its neighbours, up to a number of the embedder's tokens. */
  widenChunk(
    id: ChunkId,
    maxTokens: number,
  ): {
    documentId: DocumentId;
    text: string;
    /** `at` is where the span begins in the text. */
    spans: { chunkId: ChunkId; page: number; start: number; end: number; at: number }[];
  };
  nearestChunks(text: string, k: number, signal?: AbortSignal): Promise<(ChunkRow & { similarity: number })[]>;
  chunkSpan(id: ChunkId): { documentId: DocumentId; title: string; page: number; start: number; end: number };
};
