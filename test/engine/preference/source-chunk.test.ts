import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../../../main/engine/lib/random.ts";
import { leastSampledFirst } from "../../../main/engine/preference/generate/source-chunk.ts";
import type { ChunkId } from "../../../main/shared/ids.ts";

/** What the draw is meant to be, with every id at hand: Fisher–Yates, then by how often each was a source. */
function drawFromAll(ids: string[], times: ReadonlyMap<string, number>, seed: number): string[] {
  const random = createRandom("draw", seed);
  const shuffled = [...ids];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled.toSorted((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0));
}

const idsOf = (n: number) => Array.from({ length: n }, (_, i) => `chunk ${i}`);
const chunksOf = (ids: string[], asked: number[] = []) => ({
  count: ids.length,
  at: (index: number) => (asked.push(index), ids[index] as ChunkId | undefined),
});

test("the draw is that of a shuffle of all ids, those sampled least first", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 40 }), fc.nat(), (counts, seed) => {
      const ids = idsOf(counts.length);
      const times = new Map(ids.map((id, i) => [id, counts[i]!]));
      const drawn = [...leastSampledFirst(chunksOf(ids), times, createRandom("draw", seed))];
      expect(drawn).toEqual(drawFromAll(ids, times, seed));
    }),
  );
});

test("a draw asks for one chunk of a large corpus", () => {
  const asked: number[] = [];
  const [first] = leastSampledFirst(chunksOf(idsOf(100_000), asked), new Map(), createRandom("draw", 1));
  expect(first).toBe(`chunk ${asked[0]}`);
  expect(asked).toHaveLength(1);
});

test("a chunk that has gone since they were counted is passed over", () => {
  const chunks = { count: 3, at: (index: number) => (index === 1 ? undefined : (`chunk ${index}` as ChunkId)) };
  const drawn = [...leastSampledFirst(chunks, new Map(), createRandom("draw", 1))];
  expect(drawn.toSorted()).toEqual(["chunk 0", "chunk 2"]);
});
