import fc from "fast-check";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import {
  createHostEmbedder,
  embedWhole,
  ensureSpace,
  fromBlob,
  openVec0Index,
  toBlob,
} from "../../../main/engine/embedding/index.ts";
import { makeTempDir } from "../../harness/corpus-bench.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("texts longer than the window", () => {
  const embedder = createFakeEmbedder({ maxTokens: 20 });

  test("are embedded to their end: another last sentence gives another vector", async () => {
    const long = "silk is tough ".repeat(30);
    const { vectors, nTokens } = await embedWhole(embedder, [`${long} nacre shines`, `${long} glass breaks`, "short"]);
    expect(nTokens).toEqual([92, 92, 1]);
    expect(dot(vectors[0]!, vectors[1]!)).toBeLessThan(0.99999);
    expect(vectors[2]).toEqual((await embedder.embed(["short"]))[0]);
  });

  test("give unit vectors, whatever the text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme", maxLength: 300 }), { minLength: 1, maxLength: 4 }),
        async (texts) => {
          for (const vector of (await embedWhole(embedder, texts)).vectors)
            expect(dot(vector, vector)).toBeCloseTo(1, 5);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test("a missing model is told without starting a process", async () => {
  const embedder = createHostEmbedder(
    { call: () => Promise.reject(new Error("a process was started")) },
    "/nowhere/model",
  );
  await expect(embedder.embed(["silk"])).rejects.toMatchObject({ code: "EMBEDDER_UNAVAILABLE" });
  await expect(embedder.space()).rejects.toMatchObject({ code: "EMBEDDER_UNAVAILABLE" });
});

describe("vec0 index", () => {
  const temp = { current: makeTempDir() };
  let db: Db;
  beforeEach(() => {
    temp.current = makeTempDir();
    db = openDatabase(join(temp.current.dir, "workspace"));
  });
  afterEach(() => {
    closeDatabase(db);
    temp.current.remove();
  });

  const unit = (...values: number[]) => {
    const norm = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / norm);
  };
  const space = (sha256: string) => ensureSpace(db, { model: "m", sha256, nDims: 3, maxTokens: 8 });

  test("finds the nearest by cosine, in the order that a plain loop gives", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 })),
          { minLength: 1, maxLength: 40 },
        ),
        (points) => {
          const stored = space(Math.random().toString());
          const index = openVec0Index(db, stored);
          const vectors = points.map((point) => unit(...point));
          index.add(vectors.map((vector, key) => ({ key: key + 1, vector })));
          const query = unit(1, 2, 3);
          const found = index.search(query, 10);
          const expected = vectors
            .map((vector) => 1 - dot(vector, query))
            .toSorted((a, b) => a - b)
            .slice(0, 10);
          found.forEach((hit, i) => {
            expect(hit.distance).toBeCloseTo(expected[i]!, 5);
            expect(hit.distance).toBeCloseTo(1 - dot(vectors[hit.key - 1]!, query), 5);
          });
          expect(found).toHaveLength(Math.min(10, points.length));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("forgets what is removed", () => {
    const index = openVec0Index(db, space("a"));
    index.add([
      { key: 1, vector: unit(1, 0, 0) },
      { key: 2, vector: unit(0, 1, 0) },
    ]);
    index.remove([1]);
    expect(index.search(unit(1, 0, 0), 5).map((hit) => hit.key)).toEqual([2]);
  });

  test("spaces do not see each other's vectors, and a space keeps its number", () => {
    const [a, b] = [space("a"), space("b")];
    openVec0Index(db, a).add([{ key: 1, vector: unit(1, 0, 0) }]);
    expect(openVec0Index(db, b).search(unit(1, 0, 0), 5)).toEqual([]);
    expect(space("a").id).toBe(a.id);
    expect(b.id).not.toBe(a.id);
  });

  test("a stored vector comes back bit by bit", () => {
    const vector = unit(0.1, -0.7, 1e-8);
    expect(fromBlob(toBlob(vector))).toEqual(vector);
  });
});
