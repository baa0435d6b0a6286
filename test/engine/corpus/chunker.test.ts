import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chunkPages } from "../../../main/engine/corpus/chunker.ts";
import { splitSentences } from "../../../main/shared/sentences.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";

const { countTokens } = createFakeEmbedder();
const chunk = (pages: string[], maxTokens: number) => chunkPages(pages, maxTokens, (texts) => countTokens(texts));

const word = fc.oneof(
  fc.constantFrom(
    "silk",
    "Fig.",
    "et",
    "al.",
    "3.45",
    "µm",
    "LiFePO4",
    "β-sheet",
    "(see",
    "ref.)",
    "😀",
    "Ångström",
    "e.g.",
    "x".repeat(40),
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }),
);
const sentence = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => `${words.join(" ")}.`);
const pageText = fc.array(sentence, { maxLength: 12 }).map((sentences) =>
  sentences
    .map((s, i) => (i % 3 === 2 ? `${s}\n` : `${s} `))
    .join("")
    .trim(),
);
const pages = fc.array(pageText, { minLength: 1, maxLength: 4 });
const window = fc.integer({ min: 8, max: 80 });

describe("any text, any window", () => {
  test("a chunk is exactly what stands between its offsets on its page", async () => {
    await fc.assert(
      fc.asyncProperty(pages, window, async (pages, maxTokens) => {
        for (const { page, start, end, text } of await chunk(pages, maxTokens))
          expect(pages[page - 1]!.slice(start, end)).toBe(text);
      }),
    );
  });

  test("a chunk fits the window by the embedder's own count, and its count is that one", async () => {
    await fc.assert(
      fc.asyncProperty(pages, window, async (pages, maxTokens) => {
        const chunks = await chunk(pages, maxTokens);
        expect(chunks.map(({ nTokens }) => nTokens)).toEqual(await countTokens(chunks.map(({ text }) => text)));
        for (const { nTokens, text } of chunks) expect(nTokens <= maxTokens || text.length < 2).toBe(true);
      }),
    );
  });

  test("no letter is lost, and chunks stand in the order of the text", async () => {
    await fc.assert(
      fc.asyncProperty(pages, window, async (pages, maxTokens) => {
        const chunks = await chunk(pages, maxTokens);
        pages.forEach((text, i) => {
          const own = chunks.filter(({ page }) => page === i + 1);
          expect(own.map(({ start }) => start)).toEqual(own.map(({ start }) => start).toSorted((a, b) => a - b));
          const covered = new Uint8Array(text.length);
          for (const { start, end } of own) covered.fill(1, start, end);
          for (let at = 0; at < text.length; at++)
            if (/\S/.test(text[at]!)) expect(covered[at], `unit ${at} of ${JSON.stringify(text)}`).toBe(1);
        });
      }),
    );
  });

  test("the same text gives the same chunks", async () => {
    await fc.assert(
      fc.asyncProperty(pages, window, async (pages, maxTokens) => {
        expect(await chunk(pages, maxTokens)).toEqual(await chunk(pages, maxTokens));
      }),
      { numRuns: 30 },
    );
  });

  test("a chunk of several sentences begins and ends with whole ones", async () => {
    await fc.assert(
      fc.asyncProperty(pages, async (pages) => {
        for (const { page, start, end } of await chunk(pages, 200)) {
          const sentences = splitSentences(pages[page - 1]!);
          expect(sentences.some((sentence) => sentence.start === start)).toBe(true);
          expect(sentences.some((sentence) => sentence.end === end)).toBe(true);
        }
      }),
    );
  });
});

describe("overlap", () => {
  const sentences = Array.from({ length: 20 }, (_, i) => `Sentence number ${i} tells of silk and of its crystals.`);

  test("inside a paragraph the last sentence of a chunk opens the next", async () => {
    const chunks = await chunk([sentences.join(" ")], 45);
    for (const [i, next] of chunks.slice(1).entries())
      expect(splitSentences(chunks[i]!.text).at(-1)!.text).toBe(splitSentences(next.text)[0]!.text);
  });

  test("over a paragraph's end nothing is told twice", async () => {
    const chunks = await chunk([sentences.join("\n")], 45);
    for (const [i, next] of chunks.slice(1).entries()) expect(next.start).toBeGreaterThanOrEqual(chunks[i]!.end);
  });
});

describe("lists of references", () => {
  const prose = "The fibre was drawn at ten metres a second. Its crystals were whole.";
  const entries = [
    "1. Greer, A. L. Metallic glasses. Science 267, 1947–1953 (1995).",
    "2. Johnson, W. L. Bulk glass-forming alloys. MRS Bull. 24, 42–56 (1999).",
    "3. Inoue, A. Stabilization of supercooled liquid. Acta Mater. 48, 279–306 (2000).",
  ];

  test("begin at their heading, go on over pages and end at the next heading", async () => {
    const pages = [`${prose}\nReferences\n${entries.join("\n")}`, `${entries.join("\n")}\nPublisher’s note\n${prose}`];
    const chunks = await chunk(pages, 60);
    for (const { text, isReferences } of chunks)
      expect(isReferences, text).toBe(/References|Greer|Johnson|Inoue|Mater/.test(text));
    expect(chunks.filter(({ isReferences }) => isReferences)).not.toHaveLength(0);
  });

  test("are known without a heading, and prose with citations is none", async () => {
    const cited =
      "Silk is tough (Gosline et al., 1999) and light (Vollrath and Knight, 2001), as many have shown for the fibres of spiders. Its chains unfold.";
    const [list] = await chunk([entries.join("\n")], 200);
    const [text] = await chunk([cited], 200);
    expect([list!.isReferences, text!.isReferences]).toEqual([true, false]);
  });
});

test("a citation number after the full stop does not glue two sentences together", () => {
  const text = "Batteries exhibit a long life.1–4 To date, oxides are used. See Fig. 3 for more.";
  expect(splitSentences(text).map((sentence) => sentence.text)).toEqual([
    "Batteries exhibit a long life.1–4",
    "To date, oxides are used.",
    "See Fig. 3 for more.",
  ]);
});
