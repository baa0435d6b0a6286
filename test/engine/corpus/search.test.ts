import fc from "fast-check";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fusedScore, mergeRanks } from "../../../main/engine/corpus/rank-fusion.ts";
import { toMatch } from "../../../main/engine/corpus/text-index.ts";
import type { ChunkId } from "../../../main/shared/ids.ts";
import { type CorpusBench, makeTempDir, openCorpus } from "../../harness/corpus-bench.ts";
import { linesFromTop, makePdf } from "../../harness/make-pdf.ts";

const TOPICS = {
  silk: "Spider silk combines strength and toughness because beta sheet crystals hold its amorphous chains.",
  battery: "A porous cathode lets lithium ions diffuse and gives the battery a high capacity at a high rate.",
  nacre: "Nacre of molluscs is made of aragonite platelets that slide over thin layers of protein.",
  glass: "Metallic glass fails by shear bands unless ductile dendrites stop them in the matrix.",
};
const REFERENCES = [
  "References",
  "1. Vollrath, F. Spider silk. Nature 410, 541–548 (2001).",
  "2. Gosline, J. M. Spider silk toughness. J. Exp. Biol. 202, 3295–3303 (1999).",
  "3. Porter, D. Spider silk strength. Adv. Mater. 21, 487–492 (2009).",
];

const temp = makeTempDir();
let bench: CorpusBench;

beforeAll(async () => {
  mkdirSync(join(temp.dir, "in"));
  const paths = Object.entries(TOPICS).map(([name, text]) => {
    const filler = Array.from({ length: 12 }, (_, i) => `Remark ${i} on ${name}: the sample was kept dry.`);
    const pages = [{ lines: linesFromTop([text]) }, { lines: linesFromTop(filler) }];
    if (name === "silk") pages.push({ lines: linesFromTop(REFERENCES) });
    const path = join(temp.dir, "in", `${name}.pdf`);
    writeFileSync(path, makePdf(pages, { title: `A study of ${name} and its parts` }));
    return path;
  });
  bench = openCorpus(join(temp.dir, "workspace"));
  await bench.importPaths(paths);
});
afterAll(async () => {
  await bench.close();
  temp.remove();
});

const search = (query: string, mode?: "hybrid" | "vector" | "text") =>
  bench.corpus.api.search({ query, ...(mode ? { mode } : {}) });

describe("a question", () => {
  test.each(["hybrid", "vector", "text"] as const)(
    "finds its page by %s search, and the ranks tell by which list",
    async (mode) => {
      const { hits, warning } = await search("Why does a porous cathode give a battery a high capacity?", mode);
      expect(hits[0]).toMatchObject({
        page: 1,
        title: "A study of battery and its parts",
        start: 0,
        end: TOPICS.battery.length,
      });
      expect(hits[0]!.text).toBe(TOPICS.battery);
      expect(hits[0]!.ranks).toEqual({ vector: mode === "text" ? null : 1, text: mode === "vector" ? null : 1 });
      expect(warning).toBeNull();
    },
  );

  test("in quotes finds the words only where they stand together", async () => {
    const { hits } = await search('"slide over thin layers"', "text");
    expect(hits.map((hit) => hit.title)).toEqual(["A study of nacre and its parts"]);
  });

  test("finds words whatever their case and accents", async () => {
    expect((await search("NÁCRE", "text")).hits[0]!.title).toContain("nacre");
  });
});

test("a list of references stands behind running text that says as much", async () => {
  const { hits } = await search("spider silk strength toughness");
  const list = hits.findIndex((hit) => hit.text.includes("Vollrath"));
  expect(hits[0]!.text).toBe(TOPICS.silk);
  expect(list).toBeGreaterThan(0);
  expect(hits[list]!.score).toBeLessThan(hits[list]!.ranks.text === null ? 0.002 : 0.004);
});

test("no query is a syntax error", async () => {
  const nasty = fc.oneof(
    fc.string({ unit: "binary", minLength: 1 }),
    fc
      .array(
        fc.constantFrom("NEAR(", '"', "*", "AND", "NOT", "^", "text:", "silk", "-", ")", "'", "\u0000", "{a b}", "é"),
        { minLength: 1 },
      )
      .map((parts) => parts.join(" ")),
  );
  await fc.assert(
    fc.asyncProperty(nasty, async (query) => {
      expect((await search(query, "text")).hits.length).toBeLessThanOrEqual(10);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["what is the silk", '"silk"'],
  ["what is it", '"what" OR "is" OR "it"'],
  ['tough "spider silk"', '"spider silk" OR "tough"'],
  ["silk silk", '"silk"'],
  ["?!", null],
])("%j asks for %j", (query, match) => expect(toMatch(query)).toBe(match));

describe("reciprocal rank fusion", () => {
  test("is the sum of 1/(60+rank) over the lists", () => {
    const ranks = mergeRanks([7, 8], [8, 9]);
    expect(ranks.get(8)).toEqual({ vector: 2, text: 1 });
    expect(fusedScore(ranks.get(8)!, false)).toBeCloseTo(1 / 62 + 1 / 61, 12);
    expect(fusedScore(ranks.get(9)!, false)).toBeCloseTo(1 / 62, 12);
  });
  test("of a list of references counts a tenth", () => {
    expect(fusedScore({ vector: 1, text: 1 }, true)).toBeCloseTo(2 / 61 / 10, 12);
  });
});

test("the derived tables are filled again from what is stored when they are lost or old", async () => {
  const query = "ductile dendrites stop shear bands";
  const before = (await search(query)).hits;
  await bench.close();
  bench = openCorpus(join(temp.dir, "workspace"));
  bench.db.exec("DROP TABLE chunk_text; UPDATE index_state SET version = 0; DELETE FROM chunk_vector_1;");
  expect((await search(query)).hits).toEqual(before);
});

describe("what other domains ask for", () => {
  const api = () => bench.corpus.api;
  const idOf = async (query: string): Promise<ChunkId> => (await search(query, "text")).hits[0]!.chunkId;

  test("eligible chunks are running text of some length, in the same order at every call", async () => {
    const ids = () => {
      const { count, at } = api().eligibleChunks();
      return Array.from({ length: count }, (_, i) => at(i)!);
    };
    expect(ids().length).toBeGreaterThan(0);
    expect(new Set(ids()).size).toBe(ids().length);
    for (const id of ids()) expect(api().getChunk(id).text).not.toMatch(/Vollrath/);
    expect(ids()).toEqual(ids());
    expect(api().eligibleChunks().at(ids().length)).toBeUndefined();
  });

  test("a chunk is not widened onto a page that reads badly", async () => {
    const id = await idOf("amorphous chains");
    const read = bench.db.prepare("UPDATE page SET quality = @quality WHERE document_id = @documentId AND page = 2");
    const { documentId } = api().chunkSpan(id);
    read.run({ documentId, quality: "poor" });
    const { spans } = api().widenChunk(id, 400);
    read.run({ documentId, quality: "good" });
    expect(spans.map((span) => span.page)).toEqual([1]);
  });

  test("a widened chunk goes on over the page without references, and its spans give its text", async () => {
    const id = await idOf("amorphous chains");
    const { text, spans } = api().widenChunk(id, 400);
    expect(spans.map((span) => span.page)).toEqual([1, 2]);
    expect(text).toContain(TOPICS.silk);
    expect(text).toContain("Remark 11");
    expect(text).not.toContain("Vollrath");
    const { documentId } = api().chunkSpan(id);
    for (const span of spans) {
      const page = await bench.corpus.handlers.getPage({ documentId, page: span.page }, new AbortController().signal);
      expect(text).toContain(page.text.slice(span.start, span.end));
    }
    expect(api().widenChunk(id, 10).spans).toHaveLength(1);
  });

  test("the nearest chunks leave references out", async () => {
    const near = await api().nearestChunks("spider silk strength", 5);
    expect(near.every((chunk) => !chunk.isReferences)).toBe(true);
    expect(near.map((chunk) => chunk.similarity)).toEqual(
      near.map((chunk) => chunk.similarity).toSorted((a, b) => b - a),
    );
  });

  test("what is not there is NOT_FOUND, a span beyond the page VALIDATION_FAILED", async () => {
    const nobody = "01900000-0000-7000-8000-000000000000" as ChunkId;
    expect(() => api().getChunk(nobody)).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    const { documentId } = api().chunkSpan(await idOf("nacre"));
    const { signal } = new AbortController();
    await expect(async () => bench.corpus.handlers.getPage({ documentId, page: 9 }, signal)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    await expect(
      bench.corpus.handlers.locate({ documentId, page: 1, start: 0, end: 9999 }, signal),
    ).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
  });

  test("a hit is located on its page", async () => {
    const { hits } = await search("aragonite platelets");
    const { documentId, page, start, end } = hits[0]!;
    const { rects } = await bench.corpus.handlers.locate(
      { documentId, page, start, end },
      new AbortController().signal,
    );
    expect(rects).toHaveLength(1);
    expect(rects[0]!.left).toBeCloseTo(72, 0);
  });
});
