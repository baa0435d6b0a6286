import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alignSentences, changedShare } from "../../../main/engine/reflection/align-sentences.ts";

const word = fc.constantFrom(
  "graphene",
  "improves",
  "conductivity",
  "cathode",
  "the",
  "lithium",
  "diffusion",
  "slow",
  "rapid",
  "grain",
);
const sentence = fc.array(word, { minLength: 0, maxLength: 6 }).map((words) => `${words.join(" ")}.`);
const sentences = fc.array(sentence, { maxLength: 8 });

describe("alignSentences", () => {
  test("names every sentence of both texts exactly once and in order", () => {
    fc.assert(
      fc.property(sentences, sentences, (before, after) => {
        const aligned = alignSentences(before, after);
        expect(aligned.flatMap((entry) => entry.before ?? [])).toEqual(before.map((_, i) => i));
        expect(aligned.flatMap((entry) => entry.after ?? [])).toEqual(after.map((_, i) => i));
      }),
    );
  });

  test("finds nothing changed in a text and itself", () => {
    fc.assert(
      fc.property(sentences, (text) => {
        const aligned = alignSentences(text, text);
        expect(aligned.every(({ kind }) => kind === "same")).toBe(true);
        expect(changedShare(aligned)).toBe(0);
      }),
    );
  });

  test("keeps every sentence that was only moved apart by insertions", () => {
    fc.assert(
      fc.property(fc.uniqueArray(sentence, { maxLength: 6 }), fc.nat(), (before, seed) => {
        const at = before.length === 0 ? 0 : seed % (before.length + 1);
        const after = before.toSpliced(at, 0, "Entirely novel wording here.");
        const kinds = alignSentences(before, after).map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === "same")).toHaveLength(before.length);
        expect(kinds.filter((kind) => kind === "added")).toHaveLength(1);
      }),
    );
  });

  test("says `same` only of sentences with the same words", () => {
    fc.assert(
      fc.property(sentences, sentences, (before, after) => {
        for (const entry of alignSentences(before, after)) {
          if (entry.kind === "same")
            expect(before[entry.before]!.toLowerCase()).toBe(after[entry.after]!.toLowerCase());
        }
      }),
    );
  });

  test("takes a reworded sentence as changed, and an unrelated one as removed and added", () => {
    const before = ["- Graphene sheets conduct electrons.", "- Water boils."];
    const after = ["- Graphene sheets conduct electrons quickly.", "- The cuticle protects the worm."];
    expect(alignSentences(before, after).map(({ kind }) => kind)).toEqual(["changed", "removed", "added"]);
  });
});
