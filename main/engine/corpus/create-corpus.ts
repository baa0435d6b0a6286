import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { SearchInput, SearchResult } from "../../shared/contract/corpus.ts";
import { isDocument } from "../../shared/document-formats.ts";
import { AppError } from "../../shared/errors.ts";
import type { ChunkId, DocumentId, JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Embedder } from "../embedding/index.ts";
import type { Emit } from "../lib/events.ts";
import type { EnqueueRequest, JobDefinition } from "../jobs/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { createChunkStore, toChunkRow } from "./chunk-store.ts";
import { createDocumentFiles } from "./document-files.ts";
import { createDocumentStore } from "./document-store.ts";
import { type EligibleChunks, eligibleChunks } from "./eligible-chunks.ts";
import { createImportJob, IMPORT_JOB } from "./import-job.ts";
import { DEFAULT_PDF_LIMITS, type PdfLimits } from "./readers/pdf/limits.ts";
import { createReaders } from "./readers/readers.ts";
import { createSearch, type NearChunk } from "./search.ts";
import { openTextIndex, type TextIndex } from "./text-index.ts";
import { widenChunk, type WidenedChunk } from "./widen-chunk.ts";

export type CorpusDeps = {
  db: Db;
  embedder: Embedder;
  clock: Clock;
  log: Logger;
  emit: Emit;
  enqueue(request: EnqueueRequest): JobId;
  workspaceDir: string;
  sampleCorpusDir: string;
  /** pdf-worker.ts in the sources, pdf-worker.js in a build. */
  pdfWorkerPath: string;
  limits?: Partial<PdfLimits>;
};

export type CorpusApi = {
  search(input: SearchInput, signal?: AbortSignal): Promise<SearchResult>;
  eligibleChunks(): EligibleChunks;
  getChunk(id: ChunkId): ReturnType<typeof toChunkRow>;
  /** The chunk with as many of its neighbours as fit, in the embedder's tokens. */
  widenChunk(id: ChunkId, maxTokens: number): WidenedChunk;
  nearestChunks(query: string | Float32Array, k: number, signal?: AbortSignal): Promise<NearChunk[]>;
  /** Where a chunk stands, for a citation. */
  chunkSpan(id: ChunkId): {
    chunkId: ChunkId;
    documentId: DocumentId;
    title: string;
    path: string;
    page: number;
    start: number;
    end: number;
  };
  counts(): { nDocuments: number; nReady: number; nChunks: number };
};

export type Corpus = { handlers: EngineHandlers["corpus"]; jobs: JobDefinition[]; api: CorpusApi };

/** Papers, their pages and chunks, and the search over them. */
export function createCorpus(deps: CorpusDeps): Corpus {
  const { db } = deps;
  const limits = { ...DEFAULT_PDF_LIMITS, ...deps.limits };
  const documents = createDocumentStore(db);
  const chunks = createChunkStore(db, deps.clock);
  const readers = createReaders({ pdfWorkerPath: deps.pdfWorkerPath, limits });
  const files = createDocumentFiles(deps.workspaceDir, readers);
  let index: TextIndex | undefined;
  const textIndex = () => (index ??= openTextIndex(db));
  const parts = { ...deps, documents, chunks, files, readers, textIndex };
  const { search, nearestChunks } = createSearch(parts);
  const changed = (documentIds: DocumentId[]) => deps.emit("corpus.changed", { documentIds });

  return {
    jobs: [createImportJob({ ...parts, changed })],
    handlers: {
      listDocuments: () => documents.list(),
      getDocument: ({ documentId }) => ({ ...getDocument(documentId), pages: documents.pageSummaries(documentId) }),
      getPage: ({ documentId, page }) => ({
        documentId,
        ...getPage(documentId, page),
        chunks: chunks.onPage(documentId, page).map(toChunkRow),
      }),
      getPdf: ({ documentId }) => readPdf(documentId),
      async locate({ documentId, page, start, end }, signal) {
        const document = getDocument(documentId);
        const { text } = getPage(documentId, page);
        if (start >= end || end > text.length) throw noSpan(start, end, text.length);
        const reader = readers.of(document);
        if (!reader.locate) throw noPages(document.fileName, reader.format.name);
        return await reader.locate(files.pathOf(document), { page, text, start, end }, signal);
      },
      importFiles: (input) => ({ jobId: deps.enqueue({ type: IMPORT_JOB, input }) }),
      async importSample() {
        const names = (await readdir(deps.sampleCorpusDir)).filter((name) => isDocument({ name })).toSorted();
        const paths = names.map((name) => join(deps.sampleCorpusDir, name));
        return { jobId: deps.enqueue({ type: IMPORT_JOB, input: { paths } }) };
      },
      search,
    },
    api: {
      search,
      nearestChunks,
      eligibleChunks: () => eligibleChunks(chunks),
      getChunk: (id) => toChunkRow(getChunk(id)),
      widenChunk: (id, maxTokens) => widenChunk(chunks, documents, getChunk(id), maxTokens),
      chunkSpan(id) {
        const { documentId, page, start, end } = getChunk(id);
        const { title, path } = getDocument(documentId);
        return { chunkId: id, documentId, title, path, page, start, end };
      },
      counts: documents.counts,
    },
  };

  function getDocument(id: DocumentId) {
    const document = documents.get(id);
    if (!document) throw new AppError("NOT_FOUND", `There is no document ${id}`);
    return document;
  }

  function getPage(id: DocumentId, page: number) {
    const { fileName, nPages } = getDocument(id);
    const found = documents.page(id, page);
    if (!found) throw new AppError("NOT_FOUND", `${fileName} has no page ${page}`, { details: { nPages } });
    return found;
  }

  function getChunk(id: ChunkId) {
    const chunk = chunks.get(id);
    if (!chunk) throw new AppError("NOT_FOUND", `There is no chunk ${id}`);
    return chunk;
  }

  async function readPdf(id: DocumentId): Promise<Uint8Array<ArrayBuffer>> {
    const document = getDocument(id);
    try {
      return new Uint8Array(await readFile(files.pathOf(document)));
    } catch (cause) {
      throw new AppError("NOT_FOUND", `The copy of ${document.fileName} is not in the workspace`, {
        hint: "Import the file again.",
        cause,
      });
    }
  }
}

function noPages(fileName: string, format: string): AppError {
  return new AppError("VALIDATION_FAILED", `${fileName} has no pages to show a place on: it is ${format}`, {
    hint: "Its text can be read beside it.",
  });
}

function noSpan(start: number, end: number, length: number): AppError {
  return new AppError(
    "VALIDATION_FAILED",
    `The page's text has no span ${start} to ${end}: it is ${length} characters long`,
  );
}
