import type { ChunkId } from "../../../shared/ids.ts";
import type { PairCorpus } from "./corpus-access.ts";
import type { Recipe } from "../../recipe/index.ts";
import { chunkPassage, type Passage } from "./passage.ts";
import type { Source } from "./source-chunk.ts";

export type Retrieved = { chunkId: ChunkId; score: number; passage: Passage };

/**
 * The chunks nearest to the question and to the source chunk, without the source itself and without repeats, best
 * first, as many as fit the budget beside the source.
 */
export async function retrieve(input: {
  corpus: PairCorpus;
  recipe: Recipe;
  question: string;
  source: Source;
  signal: AbortSignal;
}): Promise<Retrieved[]> {
  const { corpus, source } = input;
  const { k, tokenBudget, sourceTokens } = input.recipe.retrieval;
  if (k === 0) return [];
  const nearest = [
    ...(await corpus.nearestChunks(input.question, k, input.signal)),
    ...(await corpus.nearestChunks(corpus.getChunk(source.chunkId).text, k + source.chunkIds.length, input.signal))
      .filter((hit) => !source.chunkIds.includes(hit.id))
      .slice(0, k),
  ];
  let nLeft = tokenBudget - sourceTokens;
  const retrieved: Retrieved[] = [];
  const seen = new Set<ChunkId>(source.chunkIds);
  for (const chunk of nearest.toSorted((a, b) => b.similarity - a.similarity)) {
    if (seen.has(chunk.id) || chunk.isReferences || chunk.nTokens > nLeft) continue;
    seen.add(chunk.id);
    nLeft -= chunk.nTokens;
    retrieved.push({ chunkId: chunk.id, score: chunk.similarity, passage: chunkPassage(chunk) });
  }
  return retrieved;
}
