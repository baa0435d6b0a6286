import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SearchHit } from "../../main/shared/contract/corpus.ts";
import { groupHits, sentenceOfHit } from "../../renderer/lib/search-hits.ts";

const TEXT = "Olivine is an insulator. Graphene sheets raise the conductivity of the cathode. Tap density falls.";

describe("sentenceOfHit", () => {
  it("picks the sentence that speaks most of the query and says where it stands in the chunk", () => {
    const { sentence, before, after } = sentenceOfHit(TEXT, "graphene conductivity");
    expect(TEXT.slice(sentence.start, sentence.end)).toBe("Graphene sheets raise the conductivity of the cathode.");
    expect(before).toContain("Olivine");
    expect(after).toContain("Tap density");
  });

  it("marks other forms of the words of the query, and no filling words", () => {
    const { sentence, marks } = sentenceOfHit(
      "The batteries of the lab are conductive.",
      "What is the conductivity of the battery?",
    );
    expect(marks.map(({ start, end }) => sentence.text.slice(start, end))).toEqual(["batteries", "conductive"]);
  });

  it("begins at the first sentence when no word of the query occurs: the hit was found by meaning", () => {
    expect(sentenceOfHit(TEXT, "spider silk").sentence.text).toBe("Olivine is an insulator.");
  });

  it("always gives a span of the chunk", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (text, query) => {
        const { sentence, marks } = sentenceOfHit(text, query);
        expect(text.slice(sentence.start, sentence.end)).toBe(sentence.text);
        for (const { start, end } of marks) expect(end).toBeGreaterThan(start);
      }),
    );
  });
});

describe("groupHits", () => {
  it("puts documents in the order of their best hit", () => {
    const hits = ["b", "a", "b", "c"].map(
      (documentId, i) => ({ documentId, title: documentId, chunkId: String(i) }) as unknown as SearchHit,
    );
    expect(groupHits(hits).map((group) => [group.title, group.hits.length])).toEqual([
      ["b", 2],
      ["a", 1],
      ["c", 1],
    ]);
  });
});
