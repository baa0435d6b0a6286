import { basename, extname } from "node:path";
import type { DocumentRow, DocumentStatus } from "../../shared/contract/corpus.ts";
import type { Db } from "../db/index.ts";
import { type Embedder, N_SPECIAL_TOKENS } from "../embedding/index.ts";
import type { ChunkStore } from "./chunk-store.ts";
import { chunkPages, type CountTokens } from "./chunker.ts";
import type { DocumentStore } from "./document-store.ts";
import { isEmbedderGone } from "./embedder-calls.ts";
import { estimateTokens } from "./estimate-tokens.ts";
import type { DocumentFiles } from "./document-files.ts";
import type { Readers } from "./readers/readers.ts";
import type { TextIndex } from "./text-index.ts";

export type ReadingDeps = {
  db: Db;
  documents: DocumentStore;
  chunks: ChunkStore;
  textIndex: () => TextIndex;
  readers: Readers;
  files: DocumentFiles;
  embedder: Embedder;
};

/** The window to chunk for while the embedder is not there: that of the model that the program comes with. */
const DEFAULT_WINDOW = 256;

export const NOT_EMBEDDED = "Imported without embedding: search finds it by its words only";

/**
 * Pages, chunks and their words, written in one transaction together with the new status: a document has been read
 * whole or not at all. Errors: IMPORT_UNREADABLE.
 */
export async function readDocument(
  deps: ReadingDeps,
  document: DocumentRow,
  willEmbed: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { db, documents, chunks } = deps;
  const read = await deps.readers.of(document).read(deps.files.pathOf(document), signal);
  const { maxTokens, countTokens } = await tokenCounter(deps.embedder, signal);
  const made = await chunkPages(
    read.pages.map((page) => page.text),
    maxTokens - N_SPECIAL_TOKENS,
    countTokens,
  );
  const textIndex = deps.textIndex();
  const hasText = read.pages.some((page) => page.quality !== "none");
  const title = read.title ?? basename(document.path, extname(document.path));
  db.transaction(() => {
    documents.insertPages(document.id, title, read.pages);
    textIndex.add(chunks.insertAll(document.id, made));
    documents.setStatus(document.id, ...statusAfterReading(hasText, willEmbed, read.pages.length));
  }).immediate();
}

function statusAfterReading(hasText: boolean, willEmbed: boolean, nPages: number): [DocumentStatus, string | null] {
  if (!hasText)
    return ["needs_ocr", `None of its ${nPages} pages has text: it is a scan. Run OCR on it and import the result.`];
  return willEmbed ? ["embedding", null] : ["ready", NOT_EMBEDDED];
}

async function tokenCounter(
  embedder: Embedder,
  signal: AbortSignal,
): Promise<{ maxTokens: number; countTokens: CountTokens }> {
  try {
    const { maxTokens } = await embedder.space();
    return { maxTokens, countTokens: (texts) => embedder.countTokens(texts, signal) };
  } catch (error) {
    if (!isEmbedderGone(error)) throw error;
    return { maxTokens: DEFAULT_WINDOW, countTokens: async (texts) => texts.map(estimateTokens) };
  }
}
