import type { ChunkId } from "../../shared/ids.ts";
import type { ChunkStore } from "./chunk-store.ts";

/** Below this a chunk is a page number, a running head or a stray caption. */
const MIN_TOKENS = 60;

/** Chunks that may be drawn, by number: counted once, and none is loaded before it is asked for. */
export type EligibleChunks = {
  count: number;
  /** The chunk at a place from 0 to count - 1; undefined where it has gone since. */
  at(index: number): ChunkId | undefined;
};

/**
 * Running text worth sampling: chunks of ready documents, on pages with good text, outside of lists of references. The
 * numbering depends on the contents of the corpus only, so that a seed draws the same chunks everywhere.
 */
export function eligibleChunks(chunks: ChunkStore): EligibleChunks {
  const documents = chunks.countEligible(MIN_TOKENS);
  return {
    count: documents.reduce((sum, { n }) => sum + n, 0),
    at(index) {
      let nth = index;
      for (const { documentId, n } of documents) {
        if (nth < n) return chunks.eligibleId(MIN_TOKENS, documentId, nth);
        nth -= n;
      }
      return undefined;
    },
  };
}
