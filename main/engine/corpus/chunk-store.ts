import type { ChunkRow } from "../../shared/contract/corpus.ts";
import type { ChunkId, DocumentId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";
import { toBlob } from "../embedding/index.ts";
import type { Chunk } from "./chunker.ts";

type Row = {
  key: number;
  id: string;
  document_id: string;
  ordinal: number;
  page: number;
  start: number;
  end: number;
  text: string;
  n_tokens: number;
  is_references: number;
};

/** A chunk with the integer by which the derived tables know it, and with its document. */
export type KeyedChunk = ChunkRow & { key: number };
export type ChunkInDocument = KeyedChunk & { path: string; title: string };
export type ChunkStore = ReturnType<typeof createChunkStore>;

const COLUMNS = `c.key, c.id, c.document_id, c.ordinal, c.page, c.start, c."end", c.text, c.n_tokens, c.is_references`;

export function createChunkStore(db: Db, clock: Clock) {
  const insert = db.prepare(`
    INSERT INTO chunk (id, document_id, ordinal, page, start, "end", text, n_tokens, is_references)
    VALUES (@id, @documentId, @ordinal, @page, @start, @end, @text, @nTokens, @isReferences)`);
  const selectById = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM chunk c WHERE c.id = ?`);
  const selectByKey = db.prepare<[number], Row & { path: string; title: string }>(
    `SELECT ${COLUMNS}, d.path, d.title FROM chunk c JOIN document d ON d.id = c.document_id WHERE c.key = ?`,
  );
  const selectByPage = db.prepare<[string, number], Row>(
    `SELECT ${COLUMNS} FROM chunk c WHERE c.document_id = ? AND c.page = ? ORDER BY c.ordinal`,
  );
  const selectByOrdinals = db.prepare<[string, number, number], Row>(
    `SELECT ${COLUMNS} FROM chunk c WHERE c.document_id = ? AND c.ordinal BETWEEN ? AND ? ORDER BY c.ordinal`,
  );
  const isEligible = "is_references = 0 AND n_tokens >= @minTokens";
  // the pages hold the texts: each is looked up once for all of its chunks
  const countEligible = db.prepare<[{ minTokens: number }], { documentId: string; n: number }>(`
    WITH on_page AS (SELECT document_id, page, COUNT(*) AS n FROM chunk WHERE ${isEligible} GROUP BY document_id, page)
    SELECT d.id AS documentId, SUM(on_page.n) AS n FROM document d
      JOIN on_page ON on_page.document_id = d.id
      JOIN page p ON p.document_id = on_page.document_id AND p.page = on_page.page
    WHERE d.status = 'ready' AND p.quality = 'good'
    GROUP BY d.id ORDER BY d.sha256`);
  const selectEligible = db.prepare<[{ minTokens: number; documentId: string; nth: number }], { id: string }>(`
    SELECT c.id FROM chunk c JOIN page p ON p.document_id = c.document_id AND p.page = c.page
    WHERE c.document_id = @documentId AND p.quality = 'good' AND ${isEligible}
    ORDER BY c.ordinal LIMIT 1 OFFSET @nth`);
  const selectUnembedded = db.prepare<[number, string | null, string | null, number], Row>(`
    SELECT ${COLUMNS} FROM chunk c
    WHERE NOT EXISTS (SELECT 1 FROM chunk_embedding e WHERE e.embedding_space_id = ? AND e.chunk_key = c.key)
      AND (? IS NULL OR c.document_id = ?)
    ORDER BY c.key LIMIT ?`);
  const selectDocumentsUnembedded = db.prepare<[number], { document_id: string; n_chunks: number }>(`
    SELECT c.document_id, COUNT(*) AS n_chunks FROM chunk c
    WHERE NOT EXISTS (SELECT 1 FROM chunk_embedding e WHERE e.embedding_space_id = ? AND e.chunk_key = c.key)
    GROUP BY c.document_id ORDER BY MIN(c.key)`);
  const insertEmbedding = db.prepare(
    "INSERT INTO chunk_embedding (chunk_key, embedding_space_id, vector) VALUES (@key, @spaceId, @vector)",
  );
  const updateTokens = db.prepare("UPDATE chunk SET n_tokens = @nTokens WHERE key = @key AND n_tokens <> @nTokens");

  return {
    /** Keys of the new chunks, in their order. The caller holds the transaction. */
    insertAll: (documentId: DocumentId, chunks: readonly Chunk[]): { key: number; text: string }[] =>
      chunks.map((chunk, ordinal) => {
        const id = newId<ChunkId>(clock());
        const row = { ...chunk, id, documentId, ordinal, isReferences: chunk.isReferences ? 1 : 0 };
        return { key: Number(insert.run(row).lastInsertRowid), text: chunk.text };
      }),
    get(id: ChunkId): KeyedChunk | undefined {
      const row = selectById.get(id);
      return row && mapRow(row);
    },
    getByKey(key: number): ChunkInDocument | undefined {
      const row = selectByKey.get(key);
      return row && { ...mapRow(row), path: row.path, title: row.title };
    },
    onPage: (documentId: DocumentId, page: number): KeyedChunk[] => selectByPage.all(documentId, page).map(mapRow),
    /** Chunks of a document by ordinal, both ends included. */
    between: (documentId: DocumentId, from: number, to: number): KeyedChunk[] =>
      selectByOrdinals.all(documentId, from, to).map(mapRow),
    /** By document, in an order that depends on the contents of the corpus only: a seed draws the same ones everywhere. */
    countEligible: (minTokens: number): { documentId: string; n: number }[] => countEligible.all({ minTokens }),
    /** The nth (from 0) of the document's eligible chunks; undefined where there are fewer. */
    eligibleId: (minTokens: number, documentId: string, nth: number): ChunkId | undefined =>
      selectEligible.get({ minTokens, documentId, nth })?.id as ChunkId | undefined,
    unembedded: (spaceId: number, documentId: DocumentId | null, limit: number): KeyedChunk[] =>
      selectUnembedded.all(spaceId, documentId, documentId, limit).map(mapRow),
    documentsWithUnembedded: (spaceId: number): { documentId: DocumentId; nChunks: number }[] =>
      selectDocumentsUnembedded
        .all(spaceId)
        .map((row) => ({ documentId: row.document_id as DocumentId, nChunks: row.n_chunks })),
    /** The caller holds the transaction that also fills the vector index. The count of tokens is now the embedder's own. */
    insertEmbedding(spaceId: number, key: number, vector: Float32Array, nTokens: number): void {
      insertEmbedding.run({ key, spaceId, vector: toBlob(vector) });
      updateTokens.run({ key, nTokens });
    },
  };
}

/** The row as the contract has it, without the key. */
export function toChunkRow({ key: _key, ...chunk }: KeyedChunk): ChunkRow {
  return chunk;
}

function mapRow(row: Row): KeyedChunk {
  return {
    key: row.key,
    id: row.id as ChunkId,
    documentId: row.document_id as DocumentId,
    ordinal: row.ordinal,
    page: row.page,
    start: row.start,
    end: row.end,
    text: row.text,
    nTokens: row.n_tokens,
    isReferences: row.is_references === 1,
  };
}
