import type { ChunkId } from "../../../shared/ids.ts";
import { createRandom, type Random } from "../../lib/random.ts";
import type { Place } from "../../asking/index.ts";
import type { PairCorpus } from "./corpus-access.ts";
import { explains, isFact, usableSentences } from "../../small-models/excerpt.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import type { Recipe } from "../../recipe/index.ts";

export type Source = {
  chunkId: ChunkId;
  /** The chunk itself and the neighbours that widen it. */
  chunkIds: ChunkId[];
  /** The widened chunk's usable sentences. */
  passage: string;
};

/** A seeded draw among the chunks that were sampled least; chunks with too little prose are passed over. */
export function drawSource(input: {
  corpus: PairCorpus;
  recipe: Recipe;
  place: Place;
  /** How often each chunk was a source before. */
  timesSampled: Map<string, number>;
}): Outcome<Source> {
  const { corpus, recipe, place } = input;
  const random = createRandom(place.experimentId, place.seed, place.stage, place.round, place.ordinal, "source");
  const shuffled = shuffle(corpus.eligibleChunks(), random);
  const times = (id: ChunkId) => input.timesSampled.get(id) ?? 0;
  for (const chunkId of shuffled.toSorted((a, b) => times(a) - times(b))) {
    const { text, spans } = corpus.widenChunk(chunkId, recipe.retrieval.sourceTokens);
    const sentences = usableSentences(text);
    if (!hasEnough(sentences, recipe)) continue;
    return found({ chunkId, chunkIds: spans.map((span) => span.chunkId), passage: sentences.join(" ") });
  }
  return filtered("no_source");
}

function hasEnough(sentences: string[], { filters }: Recipe): boolean {
  const own = sentences.filter(isFact);
  return own.length >= filters.minSourceSentences && own.filter(explains).length >= filters.minExplainingSentences;
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
