import type { ChunkId } from "../../../shared/ids.ts";
import { createRandom, type Random } from "../../lib/random.ts";
import type { Place } from "../../asking/index.ts";
import type { PairCorpus } from "./corpus-access.ts";
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
  /** How often each chunk was a source before. */
  timesSampled: Map<string, number>;
}): Outcome<Source> {
  const { corpus, recipe, place } = input;
  const random = createRandom(place.experimentId, place.seed, place.stage, place.round, place.ordinal, "source");
  const shuffled = shuffle(corpus.eligibleChunks(), random);
  const times = (id: ChunkId) => input.timesSampled.get(id) ?? 0;
  for (const chunkId of shuffled.toSorted((a, b) => times(a) - times(b))) {
    const widened = corpus.widenChunk(chunkId, recipe.retrieval.sourceTokens);
    const passage = input.writer.passageOf(widenedPassage(widened), recipe);
    if (passage !== null) return found({ chunkId, chunkIds: widened.spans.map((span) => span.chunkId), passage });
  }
  return filtered("no_source");
}

/** Fisher–Yates. */
function shuffle<T>(items: readonly T[], random: Random): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
