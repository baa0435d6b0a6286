import type { SourceSpan } from "../../shared/contract/reflection.ts";
import { oneLine } from "../lib/text.ts";
import type { ReflectionDeps } from "./types.ts";

/** So many passages are kept for critiques to draw on … */
const N_SOURCES = 8;
/** … and so many of the best are shown to the policy with the question. */
const N_SHOWN = 2;

/** The passages of the corpus nearest to the question, best first, with where they stand. */
export async function findSources(
  corpus: ReflectionDeps["corpus"],
  question: string,
  signal: AbortSignal,
): Promise<SourceSpan[]> {
  const { hits } = await corpus.search({ query: question.slice(0, 4000), mode: "hybrid", limit: N_SOURCES }, signal);
  return hits.map(({ chunkId, documentId, title, page, start, end, text }) => ({
    chunkId,
    documentId,
    title,
    page,
    start,
    end,
    text,
  }));
}

/** The user's turn: passages first, since small models echo what stands before the text. */
export function withPassages(question: string, sources: readonly SourceSpan[]): string {
  return [...sources.slice(0, N_SHOWN).map(({ text }) => oneLine(text)), question].join("\n\n");
}
