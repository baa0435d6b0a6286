import { describe, expect, test } from "vitest";
import { createLocate } from "../../../main/engine/preference/generate/locate-statement.ts";
import { type Passage, spansIn, widenedPassage } from "../../../main/engine/preference/generate/passage.ts";
import type { ChunkId, DocumentId } from "../../../main/shared/ids.ts";

const documentId = "d" as DocumentId;
const pages = [
  "",
  "Graphene sheets wrap the particles of the cathode. Small particles shorten the path of lithium ions within 5 nm. The annealed alloy does not dissolve silicon, but it keeps copper.",
  "Rate capability depends on the electrolyte.",
];

/** Two chunks of page 1 with a space between them, and one of page 2. */
function passage(): Passage {
  const cut = pages[1]!.indexOf("Small");
  const spans = [
    { chunkId: "a" as ChunkId, page: 1, start: 0, end: cut - 1, at: 0 },
    { chunkId: "b" as ChunkId, page: 1, start: cut, end: pages[1]!.length, at: cut },
    { chunkId: "c" as ChunkId, page: 2, start: 0, end: pages[2]!.length, at: pages[1]!.length + 1 },
  ];
  return widenedPassage({ documentId, text: `${pages[1]!}\n${pages[2]!}`, spans });
}

const pageText = ({ page, start, end }: { page: number; start: number; end: number }) => pages[page]!.slice(start, end);

describe("a stretch of a passage", () => {
  test("inside one chunk is that stretch of the page", () => {
    const from = passage().text.indexOf("Small");
    expect(spansIn(passage(), from, from + 15)).toEqual([
      { chunkId: "b", documentId, page: 1, start: from, end: from + 15, quote: "Small particles" },
    ]);
  });

  test("over two chunks of a page is one span, over a page's end two", () => {
    const { text } = passage();
    const overChunks = spansIn(passage(), text.indexOf("cathode"), text.indexOf("Small") + 5);
    expect(overChunks).toMatchObject([{ chunkId: "a", page: 1, quote: "cathode. Small" }]);
    const overPages = spansIn(passage(), text.indexOf("copper"), text.length);
    expect(overPages.map(({ page }) => page)).toEqual([1, 2]);
    for (const span of [...overChunks, ...overPages]) expect(pageText(span)).toBe(span.quote);
  });

  test("that was cleaned counts as a whole", () => {
    const span = { chunkId: "a" as ChunkId, documentId, page: 1, start: 0, end: 9, quote: "As seen," };
    const cleaned = { text: "Graphene helps. It does.", pieces: [{ from: 0, to: 15, span, isVerbatim: false }] };
    expect(spansIn(cleaned, 2, 5)).toEqual([span]);
    expect(spansIn(cleaned, 16, 24)).toEqual([]);
  });
});

describe("a model's statement", () => {
  const located = (text: string) => createLocate([passage()])(text).map(({ quote }) => quote);

  test.each([
    ["in other words", "The path of lithium ions is shortened by small particles.", /^Small particles.*5 nm\.$/],
    ["in fewer words", "Graphene sheets completely wrap particles of a cathode.", /^Graphene sheets/],
    ["as a clause, beside a denial", "It keeps copper.", /^$/],
    ["as a clause with enough words", "The annealed alloy does not dissolve silicon.", /^The annealed alloy/],
    ["as a name", "path of lithium ions", /^Small particles/],
  ])("that a sentence says %s rests on it", (_, text, quote) => {
    expect(located(text).join("")).toMatch(quote);
  });

  test.each([
    ["turns a sentence round", "The annealed alloy dissolves silicon and keeps copper."],
    ["has another number", "Small particles shorten the path of lithium ions within 2 nm."],
    [
      "has the words but puts them together otherwise",
      "To keep copper in silicon, dissolve the particles of the alloy.",
    ],
    ["joins two sentences", "Graphene sheets wrap particles, so the rate capability depends on lithium ions."],
    ["is from nowhere", "Penguins survive the polar winter in large groups."],
    ["names what no sentence names", "polar winter"],
    ["names a part of a word", "silico"],
  ])("that %s is its own", (_, text) => {
    expect(located(text)).toEqual([]);
  });
});
