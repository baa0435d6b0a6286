import type { ChunkId, DocumentId } from "../../shared/ids.ts";
import type { ChunkStore, KeyedChunk } from "./chunk-store.ts";
import type { DocumentStore } from "./document-store.ts";

/** `at` is where the span begins in the widened text. */
export type ChunkSpan = { chunkId: ChunkId; page: number; start: number; end: number; at: number };
export type WidenedChunk = { documentId: DocumentId; text: string; spans: ChunkSpan[] };

/** Neighbours that could fit at most; more are never read. */
const MAX_NEIGHBOURS = 50;

/**
 * A chunk together with its neighbours in the paper, after and before in turn, up to `maxTokens` of the embedder's
 * tokens. Lists of references and pages that read badly stay out, and what two chunks share is told once: the spans do not overlap.
 */
export function widenChunk(
  chunks: ChunkStore,
  documents: DocumentStore,
  chunk: KeyedChunk,
  maxTokens: number,
): WidenedChunk {
  const around = chunks.between(chunk.documentId, chunk.ordinal - MAX_NEIGHBOURS, chunk.ordinal + MAX_NEIGHBOURS);
  const at = around.findIndex((other) => other.id === chunk.id);
  let [from, to] = [at, at];
  let nTokens = chunk.nTokens;
  const readable = new Set(
    documents.pageSummaries(chunk.documentId).flatMap(({ page, quality }) => (quality === "good" ? [page] : [])),
  );
  const fits = (other: KeyedChunk | undefined) =>
    other && !other.isReferences && readable.has(other.page) && nTokens + other.nTokens <= maxTokens;
  for (;;) {
    const [canGoOn, canGoBack] = [fits(around[to + 1]), fits(around[from - 1])];
    if (!canGoOn && !canGoBack) break;
    const takeNext = canGoOn && (!canGoBack || to - at <= at - from);
    nTokens += takeNext ? around[++to]!.nTokens : around[--from]!.nTokens;
  }
  return join(documents, chunk.documentId, around.slice(from, to + 1));
}

function join(documents: DocumentStore, documentId: DocumentId, run: readonly KeyedChunk[]): WidenedChunk {
  const spans: ChunkSpan[] = [];
  let text = "";
  let pageText = "";
  for (const { id, page, start, end } of run) {
    const last = spans.at(-1);
    const isSamePage = last?.page === page;
    if (!isSamePage) pageText = documents.page(documentId, page)?.text ?? "";
    const from = isSamePage ? skipSpace(pageText, Math.max(start, last.end)) : start;
    if (from >= end) continue;
    if (last) text += isSamePage ? pageText.slice(last.end, from) : "\n";
    spans.push({ chunkId: id, page, start: from, end, at: text.length });
    text += pageText.slice(from, end);
  }
  return { documentId, text, spans };
}

function skipSpace(text: string, from: number): number {
  while (/\s/.test(text[from] ?? "")) from++;
  return from;
}
