import { z } from "zod";
import { ChunkId, DocumentId, JobId } from "../ids.ts";
import { command, query } from "./define.ts";

export const DocumentStatus = z.enum(["queued", "reading", "embedding", "ready", "needs_ocr", "failed"]);
export type DocumentStatus = z.infer<typeof DocumentStatus>;

/** How usable a page's text is: `none` has no text at all (a scan), `poor` is mostly unreadable characters. */
export const PageQuality = z.enum(["good", "poor", "none"]);
export type PageQuality = z.infer<typeof PageQuality>;

export const PageSummary = z.object({ page: z.int().min(1), nChars: z.int(), quality: PageQuality });
export type PageSummary = z.infer<typeof PageSummary>;

export const DocumentRow = z.object({
  id: DocumentId,
  /** The path that it was imported from; the copy in the workspace is called after the hash. */
  path: z.string(),
  fileName: z.string(),
  title: z.string(),
  sha256: z.string(),
  mediaType: z.string(),
  sizeBytes: z.int(),
  nPages: z.int(),
  nPagesWithText: z.int(),
  nChunks: z.int(),
  nChunksEmbedded: z.int(),
  status: DocumentStatus,
  /** Why it is not ready, in words for the user. */
  reason: z.string().nullable(),
  importedAt: z.int(),
});
export type DocumentRow = z.infer<typeof DocumentRow>;

/** Offsets are UTF-16 code units into the text of the page (`page` counts from 1). A chunk never leaves its page. */
export const ChunkRow = z.object({
  id: ChunkId,
  documentId: DocumentId,
  ordinal: z.int(),
  page: z.int(),
  start: z.int(),
  end: z.int(),
  text: z.string(),
  nTokens: z.int(),
  isReferences: z.boolean(),
});
export type ChunkRow = z.infer<typeof ChunkRow>;

export const PageText = z.object({
  documentId: DocumentId,
  page: z.int(),
  text: z.string(),
  quality: PageQuality,
  chunks: z.array(ChunkRow),
});
export type PageText = z.infer<typeof PageText>;

/** In points (1/72 inch) from the page's top left corner, after the page's own crop box, before /Rotate. */
export const Rect = z.object({ left: z.number(), top: z.number(), width: z.number(), height: z.number() });
export type Rect = z.infer<typeof Rect>;

export const SearchMode = z.enum(["hybrid", "vector", "text"]);
export type SearchMode = z.infer<typeof SearchMode>;

export const SearchInput = z.strictObject({
  query: z.string().min(1).max(4000),
  mode: SearchMode.optional(),
  limit: z.int().min(1).max(200).optional(),
});
export type SearchInput = z.infer<typeof SearchInput>;

export const SearchHit = z.object({
  chunkId: ChunkId,
  documentId: DocumentId,
  path: z.string(),
  title: z.string(),
  page: z.int(),
  start: z.int(),
  end: z.int(),
  text: z.string(),
  /** Reciprocal rank fusion score: larger is better, comparable within one result only. */
  score: z.number(),
  /** Rank in each list, counted from 1; null where the chunk is not in that list. */
  ranks: z.object({ vector: z.int().nullable(), text: z.int().nullable() }),
});
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchResult = z.object({
  hits: z.array(SearchHit),
  tookMs: z.number(),
  /** Set when the embedder is missing and only text search was possible. */
  warning: z.string().nullable(),
});
export type SearchResult = z.infer<typeof SearchResult>;

export const corpus = {
  listDocuments: query({ input: z.strictObject({}), output: z.array(DocumentRow) }),
  getDocument: query({
    input: z.strictObject({ documentId: DocumentId }),
    output: DocumentRow.extend({ pages: z.array(PageSummary) }),
  }),
  getPage: query({ input: z.strictObject({ documentId: DocumentId, page: z.int().min(1) }), output: PageText }),
  /** The bytes of the file as stored in the workspace. */
  getPdf: query({ input: z.strictObject({ documentId: DocumentId }), output: z.instanceof(Uint8Array) }),
  /** Where a span of a page's text stands on the page, line by line. */
  locate: query({
    input: z.strictObject({ documentId: DocumentId, page: z.int().min(1), start: z.int().min(0), end: z.int().min(1) }),
    output: z.object({ widthPt: z.number(), heightPt: z.number(), rects: z.array(Rect) }),
  }),
  /** Files and folders by absolute path. Returns at once; the job reports per file. */
  importFiles: command({
    input: z.strictObject({ paths: z.array(z.string().min(1)).min(1).max(100_000), embed: z.boolean().optional() }),
    output: z.object({ jobId: JobId }),
  }),
  /** Imports the papers that come with the program. */
  importSample: command({ input: z.strictObject({}), output: z.object({ jobId: JobId }) }),
  search: query({ input: SearchInput, output: SearchResult }),
};

/** One entry per file that an import job looked at: the output of the job. */
export type ImportedDocument = {
  id: DocumentId | null;
  path: string;
  title: string;
  sha256: string | null;
  nPages: number;
  nChunks: number;
  status: "ready" | "needs_ocr" | "failed" | "duplicate";
  reason: string | null;
  pages: PageSummary[];
};
export type ImportOutput = { documents: ImportedDocument[] };
export type CorpusEvents = { "corpus.changed": { documentIds: DocumentId[] } };
