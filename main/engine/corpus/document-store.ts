import type { DocumentRow, DocumentStatus, PageQuality, PageSummary } from "../../shared/contract/corpus.ts";
import type { DocumentId } from "../../shared/ids.ts";
import { basename } from "node:path";
import type { Db } from "../db/index.ts";

type Row = {
  id: string;
  path: string;
  title: string;
  sha256: string;
  media_type: string;
  size_bytes: number;
  n_pages: number;
  n_pages_with_text: number;
  n_chunks: number;
  n_chunks_embedded: number;
  status: string;
  reason: string | null;
  imported_at: number;
};

export type NewDocument = {
  id: DocumentId;
  path: string;
  title: string;
  sha256: string;
  mediaType: string;
  sizeBytes: number;
  importedAt: number;
};

export type StoredPage = { page: number; text: string; quality: PageQuality };
export type DocumentStore = ReturnType<typeof createDocumentStore>;

/**
 * Embedded means: in the newest embedding space, the one that search uses. A ready document without a reason is
 * embedded whole, so that its vectors need not be counted: in a large corpus that takes longer than all the rest.
 */
const SELECT = `
  SELECT d.*,
    CASE WHEN d.status = 'ready' AND d.reason IS NULL THEN d.n_chunks ELSE (
      SELECT COUNT(*) FROM chunk c
      JOIN chunk_embedding e ON e.chunk_key = c.key AND e.embedding_space_id = (SELECT MAX(id) FROM embedding_space)
      WHERE c.document_id = d.id) END AS n_chunks_embedded
  FROM (
    SELECT id, path, title, sha256, media_type, size_bytes, n_pages, status, reason, imported_at,
      (SELECT COUNT(*) FROM page p WHERE p.document_id = document.id AND p.quality <> 'none') AS n_pages_with_text,
      (SELECT COUNT(*) FROM chunk c WHERE c.document_id = document.id) AS n_chunks
    FROM document
  ) d`;

export function createDocumentStore(db: Db) {
  const selectAll = db.prepare<[], Row>(`${SELECT} ORDER BY d.imported_at DESC, d.id DESC`);
  const selectById = db.prepare<[string], Row>(`${SELECT} WHERE d.id = ?`);
  const selectIdBySha256 = db.prepare<[string], { id: string }>("SELECT id FROM document WHERE sha256 = ?");
  const insert = db.prepare(`
    INSERT INTO document (id, path, title, sha256, media_type, size_bytes, n_pages, status, imported_at)
    VALUES (@id, @path, @title, @sha256, @mediaType, @sizeBytes, 0, 'queued', @importedAt)`);
  const updateStatus = db.prepare("UPDATE document SET status = @status, reason = @reason WHERE id = @id");
  const updatePath = db.prepare("UPDATE document SET path = @path WHERE id = @id");
  const updateText = db.prepare("UPDATE document SET title = @title, n_pages = @nPages WHERE id = @id");
  const insertPage = db.prepare(
    "INSERT INTO page (document_id, page, text, quality) VALUES (@documentId, @page, @text, @quality)",
  );
  const selectPage = db.prepare<[string, number], StoredPage>(
    "SELECT page, text, quality FROM page WHERE document_id = ? AND page = ?",
  );
  const selectPageSummaries = db.prepare<[string], { page: number; text: string; quality: string }>(
    "SELECT page, text, quality FROM page WHERE document_id = ? ORDER BY page",
  );
  const countAll = db.prepare<[], { n_documents: number; n_ready: number; n_chunks: number }>(`
    SELECT (SELECT COUNT(*) FROM document) AS n_documents,
      (SELECT COUNT(*) FROM document WHERE status = 'ready') AS n_ready,
      (SELECT COUNT(*) FROM chunk) AS n_chunks`);
  const countWithoutVectors = db.prepare<[], { n: number }>(
    "SELECT COUNT(*) AS n FROM document WHERE status = 'embedding' OR (status = 'ready' AND reason IS NOT NULL)",
  );

  return {
    list: (): DocumentRow[] => selectAll.all().map(mapRow),
    get(id: DocumentId): DocumentRow | undefined {
      const row = selectById.get(id);
      return row && mapRow(row);
    },
    findBySha256(sha256: string): DocumentRow | undefined {
      const known = selectIdBySha256.get(sha256);
      return known && mapRow(selectById.get(known.id)!);
    },
    insert: (document: NewDocument) => void insert.run(document),
    setStatus: (id: DocumentId, status: DocumentStatus, reason: string | null = null) =>
      void updateStatus.run({ id, status, reason }),
    setPath: (id: DocumentId, path: string) => void updatePath.run({ id, path }),
    /** What reading found; the caller holds the transaction that also writes the chunks. */
    insertPages(id: DocumentId, title: string, pages: readonly Omit<StoredPage, "page">[]): void {
      updateText.run({ id, title, nPages: pages.length });
      pages.forEach((page, i) => insertPage.run({ documentId: id, page: i + 1, ...page }));
    },
    page: (id: DocumentId, page: number): StoredPage | undefined => selectPage.get(id, page),
    pageSummaries: (id: DocumentId): PageSummary[] =>
      selectPageSummaries.all(id).map((row) => ({
        page: row.page,
        // in UTF-16 units as everywhere, which SQLite's LENGTH does not count
        nChars: row.text.length,
        quality: row.quality as PageQuality,
      })),
    counts() {
      const row = countAll.get()!;
      return { nDocuments: row.n_documents, nReady: row.n_ready, nChunks: row.n_chunks };
    },
    /** Told from the rows of the documents: counting a million vectors takes seconds. */
    nWithoutVectors: (): number => countWithoutVectors.get()!.n,
  };
}

function mapRow(row: Row): DocumentRow {
  return {
    id: row.id as DocumentId,
    path: row.path,
    fileName: basename(row.path),
    title: row.title,
    sha256: row.sha256,
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    nPages: row.n_pages,
    nPagesWithText: row.n_pages_with_text,
    nChunks: row.n_chunks,
    nChunksEmbedded: row.n_chunks_embedded,
    status: row.status as DocumentStatus,
    reason: row.reason,
    importedAt: row.imported_at,
  };
}
