import fc from "fast-check";
import { expect, test } from "vitest";
import { wordParts } from "../../main/shared/word-parts.ts";

const sentence = fc
  .array(fc.constantFrom("graphene", "raises", "the", "10 C", "5 wt%", "石墨烯", "η", "<b>"), { maxLength: 9 })
  .map((words) => words.join(" "));

test("the parts give back both versions", () => {
  fc.assert(
    fc.property(sentence, sentence, (before, after) => {
      const without = (kind: "added" | "removed") =>
        wordParts(before, after)
          .filter((part) => part.kind !== kind)
          .map((part) => part.text)
          .join("");
      expect(without("added")).toBe(before);
      expect(without("removed")).toBe(after);
    }),
  );
});

test("neighbouring changed words are one change", () => {
  expect(
    wordParts("It grows up to a threshold and falls beyond it.", "It grows up to about 5 wt% and falls beyond it."),
  ).toEqual([
    { text: "It grows up to ", kind: "same" },
    { text: "a threshold", kind: "removed" },
    { text: "about 5 wt%", kind: "added" },
    { text: " and falls beyond it.", kind: "same" },
  ]);
});
