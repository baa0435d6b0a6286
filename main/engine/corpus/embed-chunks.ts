import type { DocumentId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import {
  type Embedder,
  embedWhole,
  ensureSpace,
  openVec0Index,
  type StoredSpace,
  type VectorIndex,
} from "../embedding/index.ts";
import type { ChunkStore } from "./chunk-store.ts";
import type { DocumentStore } from "./document-store.ts";

export type EmbeddingDeps = { db: Db; documents: DocumentStore; chunks: ChunkStore; embedder: Embedder };

/** About a second of work: what a kill can cost. */
const BATCH_CHUNKS = 16;

/**
 * Embeds what has no vector in the embedder's space, document by document, whichever import left it. A batch's
 * vectors and their index entries are one transaction, so that a second start goes on after the last batch.
 * Errors: EMBEDDER_UNAVAILABLE, HOST_CRASHED.
 */
export async function embedChunks(
  deps: EmbeddingDeps,
  report: { progress(n: number, total: number): void; changed(id: DocumentId): void },
  signal: AbortSignal,
): Promise<void> {
  const space = ensureSpace(deps.db, await deps.embedder.space());
  const index = openVec0Index(deps.db, space);
  const waiting = deps.chunks.documentsWithUnembedded(space.id);
  const total = waiting.reduce((sum, { nChunks }) => sum + nChunks, 0);
  let n = 0;
  for (const { documentId } of waiting) {
    for (;;) {
      const nDone = await embedBatch(deps, space, index, documentId, signal);
      if (nDone === 0) break;
      n += nDone;
      report.progress(n, total);
    }
    deps.documents.setStatus(documentId, "ready");
    report.changed(documentId);
  }
}

async function embedBatch(
  { db, chunks, embedder }: EmbeddingDeps,
  space: StoredSpace,
  index: VectorIndex,
  documentId: DocumentId,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const batch = chunks.unembedded(space.id, documentId, BATCH_CHUNKS);
  if (batch.length === 0) return 0;
  const texts = batch.map((chunk) => chunk.text);
  const { vectors, nTokens } = await embedWhole(embedder, texts, signal);
  db.transaction(() => {
    batch.forEach((chunk, i) => chunks.insertEmbedding(space.id, chunk.key, vectors[i]!, nTokens[i]!));
    index.add(batch.map((chunk, i) => ({ key: chunk.key, vector: vectors[i]! })));
  }).immediate();
  return batch.length;
}
