import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignSentences, sentencesOf, type AlignedRow } from "../../renderer/lib/align-sentences.ts";

const words = [
  "graphene",
  "raises",
  "the",
  "rate",
  "toughness",
  "of",
  "LiFePO4",
  "falls",
  "at",
  "10 C",
  "beyond",
  "5 wt%",
];
const sentence = fc
  .array(fc.constantFrom(...words), { minLength: 2, maxLength: 9 })
  .map((list) => `${list.join(" ")}.`);
const text = fc
  .array(fc.tuple(sentence, fc.constantFrom(" ", "\n\n")), { maxLength: 14 })
  .map((list) => list.map(([body, space]) => `${body[0]!.toUpperCase()}${body.slice(1)}${space}`).join(""));

const beforeOf = (row: AlignedRow) => (row.kind === "added" ? [] : [row.before]);
const afterOf = (row: AlignedRow) => (row.kind === "removed" ? [] : [row.after]);
const kinds = (before: string, after: string) => alignSentences(before, after).map(({ kind }) => kind);

describe("alignSentences", () => {
  it("shows every sentence of both texts once and in order", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const rows = alignSentences(before, after);
        expect(rows.flatMap(beforeOf)).toEqual(sentencesOf(before));
        expect(rows.flatMap(afterOf)).toEqual(sentencesOf(after));
      }),
    );
  });

  it("splits a changed sentence into parts that give back both versions", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        for (const row of alignSentences(before, after)) {
          if (row.kind !== "changed") continue;
          const without = (kind: "added" | "removed") =>
            row.parts
              .filter((part) => part.kind !== kind)
              .map((part) => part.text)
              .join("");
          expect(without("added")).toBe(row.before.text);
          expect(without("removed")).toBe(row.after.text);
          expect(row.parts.some(({ kind }) => kind !== "same")).toBe(true);
        }
      }),
    );
  });

  it("calls a text the same as itself, and two texts with nothing in common removed and added", () => {
    fc.assert(
      fc.property(text, (same) => {
        expect(kinds(same, same).filter((kind) => kind !== "same")).toEqual([]);
      }),
    );
    expect(kinds("Silk is strong.", "Batteries lose capacity over time.")).toEqual(["removed", "added"]);
  });

  it("takes white space for no difference", () => {
    expect(kinds("Silk  is strong. It stretches.", "Silk is strong.   It stretches.")).toEqual(["same", "same"]);
  });

  it("recognises a rewritten sentence among inserted ones", () => {
    const before = "Graphene conducts electrons. The capacity grows with the graphene content. Density falls.";
    const after =
      "Graphene conducts electrons. Ions move in channels. The capacity grows with the graphene content up to a threshold. Density falls.";
    expect(kinds(before, after)).toEqual(["same", "added", "changed", "same"]);
  });

  it("marks neighbouring changed words as one change", () => {
    const [row] = alignSentences(
      "It grows up to a threshold and falls beyond it.",
      "It grows up to about 5 wt% and falls beyond it.",
    );
    expect(row?.kind === "changed" && row.parts).toEqual([
      { text: "It grows up to ", kind: "same" },
      { text: "a threshold", kind: "removed" },
      { text: "about 5 wt%", kind: "added" },
      { text: " and falls beyond it.", kind: "same" },
    ]);
  });

  it("aligns 1,500 words of which every sentence was touched without a noticeable wait", () => {
    const long = (mark: string) =>
      Array.from(
        { length: 90 },
        (_, i) => `Sentence number ${i} of the long text speaks of ${mark} and of the structure below it.`,
      ).join(" ");
    const startedAt = performance.now();
    expect(alignSentences(long("strength"), long("toughness")).every(({ kind }) => kind === "changed")).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(2000); // it takes about 50 ms; the machine may be busy
  });
});
