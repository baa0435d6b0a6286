import type { ChunkId } from "../../../shared/ids.ts";
import { createRandom, type Random } from "../../lib/random.ts";
import type { Place } from "../../asking/index.ts";
import type { EligibleChunks, PairCorpus } from "./corpus-access.ts";
import type { PairWriter } from "./pair-writer.ts";
import { type Passage, widenedPassage } from "./passage.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import type { Recipe } from "../../recipe/index.ts";

export type Source = {
  chunkId: ChunkId;
  /** The chunk itself and the neighbours that widen it. */
  chunkIds: ChunkId[];
  /** What the teacher is shown of the widened chunk. */
  passage: Passage;
};

/** A seeded draw among the chunks that were sampled least; those that the writer can make nothing of are passed over. */
export function drawSource(input: {
  corpus: PairCorpus;
  recipe: Recipe;
  writer: PairWriter;
  place: Place;
  eligible: EligibleChunks;
  /** How often each chunk was a source before. */
  timesSampled: Map<string, number>;
}): Outcome<Source> {
  const { corpus, recipe, place } = input;
  const random = createRandom(place.experimentId, place.seed, place.stage, place.round, place.ordinal, "source");
  for (const chunkId of leastSampledFirst(input.eligible, input.timesSampled, random)) {
    const widened = corpus.widenChunk(chunkId, recipe.retrieval.sourceTokens);
    const passage = input.writer.passageOf(widenedPassage(widened), recipe);
    if (passage !== null) return found({ chunkId, chunkIds: widened.spans.map((span) => span.chunkId), passage });
  }
  return filtered("no_source");
}

/**
 * All chunks in a seeded order, those that were sampled less before those that were sampled more. Chunks come from the
 * corpus one by one, as they are asked for: a draw takes about one of them, however many there are.
 */
export function* leastSampledFirst(
  chunks: EligibleChunks,
  timesSampled: ReadonlyMap<string, number>,
  random: Random,
): Generator<ChunkId> {
  const sampled: { id: ChunkId; times: number }[] = [];
  for (const index of shuffled(chunks.count, random)) {
    const id = chunks.at(index);
    if (id === undefined) continue;
    const times = timesSampled.get(id) ?? 0;
    if (times === 0) yield id;
    else sampled.push({ id, times });
  }
  for (const { id } of sampled.toSorted((a, b) => a.times - b.times)) yield id;
}

/** Fisher–Yates on the numbers from 0 to n - 1. */
function shuffled(n: number, random: Random): Uint32Array {
  const out = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
