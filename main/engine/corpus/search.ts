import type { ChunkRow, SearchHit, SearchInput, SearchResult } from "../../shared/contract/corpus.ts";
import type { Db } from "../db/index.ts";
import { type Embedder, embedWhole, ensureSpace, openVec0Index } from "../embedding/index.ts";
import { type ChunkInDocument, type ChunkStore, toChunkRow } from "./chunk-store.ts";
import type { DocumentStore } from "./document-store.ts";
import { isEmbedderGone } from "./embedder-calls.ts";
import { fusedScore, mergeRanks, type Ranks } from "./rank-fusion.ts";
import type { TextIndex } from "./text-index.ts";

export type SearchDeps = {
  db: Db;
  documents: DocumentStore;
  chunks: ChunkStore;
  textIndex: () => TextIndex;
  embedder: Embedder;
};

const DEFAULT_LIMIT = 10;
/** How deep each list goes: deep enough that a chunk which is middling in both can rise above one that is good in one. */
const MIN_CANDIDATES = 100;

export type NearChunk = ChunkRow & { similarity: number };

export function createSearch(deps: SearchDeps) {
  const { documents, chunks, embedder } = deps;

  /** Errors: EMBEDDER_UNAVAILABLE in mode "vector"; a hybrid search goes on with words and says so. */
  async function search(input: SearchInput, signal?: AbortSignal): Promise<SearchResult> {
    const startedAt = performance.now();
    const { query, mode = "hybrid", limit = DEFAULT_LIMIT } = input;
    const nCandidates = Math.max(MIN_CANDIDATES, 4 * limit);
    const textKeys = mode === "vector" ? [] : deps.textIndex().search(query, nCandidates);
    const near =
      mode === "text" ? { keys: [], warning: null } : await nearest(query, nCandidates, mode === "hybrid", signal);
    const hits = [...mergeRanks(near.keys, textKeys)]
      .flatMap(([key, ranks]) => hitOf(chunks.getByKey(key), ranks))
      .toSorted((a, b) => b.score - a.score || (a.chunkId < b.chunkId ? -1 : 1))
      .slice(0, limit);
    return { hits, tookMs: performance.now() - startedAt, warning: near.warning };
  }

  async function nearest(query: string, limit: number, mayFail: boolean, signal?: AbortSignal) {
    try {
      const keys = (await neighbours(await vectorOf(query, signal), limit)).map((hit) => hit.key);
      return { keys, warning: missingVectors(keys.length) };
    } catch (error) {
      if (!mayFail || !isEmbedderGone(error)) throw error;
      return { keys: [], warning: `Searched by words only. ${(error as Error).message}` };
    }
  }

  function missingVectors(nFound: number): string | null {
    if (nFound === 0)
      return documents.counts().nChunks === 0
        ? null
        : "No chunk is embedded with this model: import again to embed them.";
    const n = documents.nWithoutVectors();
    return n === 0 ? null : `${n} ${n === 1 ? "document is" : "documents are"} not embedded and found by words only.`;
  }

  async function vectorOf(text: string, signal?: AbortSignal): Promise<Float32Array> {
    const { vectors } = await embedWhole(embedder, [text], signal);
    return vectors[0]!;
  }

  async function neighbours(vector: Float32Array, limit: number) {
    const space = ensureSpace(deps.db, await embedder.space());
    return openVec0Index(deps.db, space).search(vector, limit);
  }

  /** The chunks nearest in meaning, without lists of references. Errors: EMBEDDER_UNAVAILABLE. */
  async function nearestChunks(query: string | Float32Array, k: number, signal?: AbortSignal): Promise<NearChunk[]> {
    const vector = typeof query === "string" ? await vectorOf(query, signal) : query;
    return (await neighbours(vector, 2 * k + MIN_CANDIDATES))
      .flatMap(({ key, distance }) => {
        const chunk = chunks.getByKey(key);
        if (!chunk || chunk.isReferences) return [];
        const { path: _path, title: _title, ...keyed } = chunk;
        return [{ ...toChunkRow(keyed), similarity: 1 - distance }];
      })
      .slice(0, k);
  }

  return { search, nearestChunks };
}

function hitOf(chunk: ChunkInDocument | undefined, ranks: Ranks): SearchHit[] {
  if (!chunk) return [];
  const { id, documentId, path, title, page, start, end, text } = chunk;
  return [
    {
      chunkId: id,
      documentId,
      path,
      title,
      page,
      start,
      end,
      text,
      score: fusedScore(ranks, chunk.isReferences),
      ranks,
    },
  ];
}
