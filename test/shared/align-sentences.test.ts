import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alignSentences, type AlignedRow, sentencesOf } from "../../main/shared/align-sentences.ts";

const words = [
  "graphene",
  "raises",
  "the",
  "rate",
  "Zähigkeit",
  "toughness",
  "of",
  "LiFePO4",
  "falls",
  "at",
  "10 C",
  "beyond",
  "5 wt%",
  "石墨烯",
  "η→0",
  "🙂",
];
const sentence = fc
  .array(fc.constantFrom(...words), { minLength: 2, maxLength: 9 })
  .map((list) => `${list.join(" ")}.`);
const text = fc
  .array(fc.tuple(sentence, fc.constantFrom(" ", "\n\n")), { maxLength: 14 })
  .map((list) => list.map(([body, space]) => `${body[0]!.toUpperCase()}${body.slice(1)}${space}`).join(""));
/** What a text may hold at its worst: ends without beginnings, halves of signs, lists, nothing. */
const anything = fc
  .array(fc.constantFrom(".", "!\n", " ", "A.", "- ", "e.g.", "。", "\u0000", "\ud83d", "\u0301", "…", "Fig. 3", "b"))
  .map((list) => list.join(""));

const beforeOf = (row: AlignedRow) => (row.kind === "added" ? [] : [row.before]);
const afterOf = (row: AlignedRow) => (row.kind === "removed" ? [] : [row.after]);
const kinds = (before: string, after: string) => alignSentences(before, after).map(({ kind }) => kind);

describe("alignSentences", () => {
  it("names every sentence of both texts once and in order", () => {
    fc.assert(
      fc.property(fc.oneof(text, anything), text, (before, after) => {
        const rows = alignSentences(before, after);
        expect(rows.flatMap(beforeOf)).toEqual(sentencesOf(before));
        expect(rows.flatMap(afterOf)).toEqual(sentencesOf(after));
      }),
    );
  });

  it("finds nothing changed in a text and itself", () => {
    fc.assert(
      fc.property(fc.oneof(text, anything), (same) => {
        expect(kinds(same, same).filter((kind) => kind !== "same")).toEqual([]);
      }),
    );
  });

  it("makes the same sentences partners when the texts are swapped", () => {
    const partners = (rows: AlignedRow[]) =>
      rows.flatMap((row) => ("before" in row && "after" in row ? [[row.kind, row.before.index, row.after.index]] : []));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const swapped = partners(alignSentences(b, a)).map(([kind, before, after]) => [kind, after, before]);
        expect(swapped).toEqual(partners(alignSentences(a, b)));
      }),
    );
  });

  it("says `same` of as many sentences as can stay in order, and only of equal ones", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const same = alignSentences(before, after).flatMap((row) => (row.kind === "same" ? [row] : []));
        for (const row of same) expect(row.before.text).toBe(row.after.text);
        const [left, right] = [before, after].map((whole) => sentencesOf(whole).map((s) => s.text));
        expect(same).toHaveLength(longestCommon(left!, right!));
      }),
    );
  });

  it("keeps every sentence that was only moved apart by an insertion", () => {
    fc.assert(
      fc.property(fc.uniqueArray(sentence, { maxLength: 6 }), fc.nat(), (before, seed) => {
        const at = before.length === 0 ? 0 : seed % (before.length + 1);
        const after = before.toSpliced(at, 0, "Entirely novel wording here.");
        const found = kinds(before.join("\n"), after.join("\n"));
        expect(found.filter((kind) => kind === "same")).toHaveLength(before.length);
        expect(found.filter((kind) => kind === "added")).toHaveLength(1);
      }),
    );
  });

  it("marks moved sentences at both of their places, each once", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const rows = alignSentences(before, after);
        const to = rows.flatMap((row) => (row.kind === "removed" && row.movedTo !== null ? [row] : []));
        const from = rows.flatMap((row) => (row.kind === "added" && row.movedFrom !== null ? [row] : []));
        expect(to).toHaveLength(from.length);
        for (const { before, movedTo } of to) {
          const there = from.find(({ after }) => after.index === movedTo)!;
          expect(there).toMatchObject({ movedFrom: before.index, after: { text: before.text } });
        }
        // nothing equal is left unmarked on both sides
        const gone = rows.flatMap((row) => (row.kind === "removed" && row.movedTo === null ? [row.before.text] : []));
        const come = rows.flatMap((row) => (row.kind === "added" && row.movedFrom === null ? [row.after.text] : []));
        expect(gone.filter((sentence) => come.includes(sentence))).toEqual([]);
      }),
    );
    const moved = alignSentences("Silk is strong. Ions move. Steel rusts.", "Steel rusts. Silk is strong. Ions move.");
    expect(moved.map(({ kind }) => kind)).toEqual(["added", "same", "same", "removed"]);
    expect(moved[0]).toMatchObject({ movedFrom: 2 });
    expect(moved[3]).toMatchObject({ movedTo: 0 });
  });

  it("takes two texts with nothing in common for removed and added, and an empty one for nothing", () => {
    expect(kinds("Silk is strong.", "Batteries lose capacity over time.")).toEqual(["removed", "added"]);
    expect(kinds("", "Silk is strong. It stretches.")).toEqual(["added", "added"]);
    expect(kinds(" \n", "")).toEqual([]);
  });

  it("takes white space and the way an accent is written for no difference, and a full stop for one", () => {
    expect(kinds("Silk  is strong. It stretches.", "Silk is strong.   It stretches.")).toEqual(["same", "same"]);
    expect(kinds("Poröse Schichten.", "Poro\u0308se Schichten.")).toEqual(["same"]);
    expect(kinds("Water boils", "Water boils!")).toEqual(["changed"]);
  });

  it("recognises a rewritten sentence among inserted ones", () => {
    const before = "Graphene conducts electrons. The capacity grows with the graphene content. Density falls.";
    const after =
      "Graphene conducts electrons. Ions move in channels. The capacity grows with the graphene content up to a threshold. Density falls.";
    expect(kinds(before, after)).toEqual(["same", "added", "changed", "same"]);
  });

  it("does not take sentences for versions of each other because of their small words", () => {
    expect(kinds("The hardness of it is due to carbides.", "The colour of it is due to chromophores.")).toEqual([
      "removed",
      "added",
    ]);
  });

  it("compares scripts without spaces sign by sign", () => {
    expect(kinds("石墨烯提高电导率。", "石墨烯大大提高电导率。")).toEqual(["changed"]);
    expect(kinds("石墨烯提高电导率。", "角质层保护蠕虫。")).toEqual(["removed", "added"]);
  });

  it("keeps its promises where the texts are too long for comparing everything", () => {
    const part = Array.from({ length: 150 }, (_, i) => `Sentence number ${i} stands here.`);
    const before = [...part, "Graphene conducts electrons.", ...part.map((text) => `${text} Again.`)].join("\n");
    const after = [...part, "Graphene conducts electrons well.", ...part.map((text) => `${text} Again.`)].join("\n");
    const rows = alignSentences(before, after);
    expect(rows.flatMap(afterOf)).toEqual(sentencesOf(after));
    expect(rows.filter(({ kind }) => kind !== "same").map(({ kind }) => kind)).toEqual(["changed"]);
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

/** The length of the longest common subsequence, by the textbook. */
function longestCommon(a: string[], b: string[]): number {
  const best = Array.from({ length: a.length + 1 }, () => Array.from({ length: b.length + 1 }, () => 0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--)
      best[i]![j] = a[i] === b[j] ? best[i + 1]![j + 1]! + 1 : Math.max(best[i + 1]![j]!, best[i]![j + 1]!);
  }
  return best[0]![0]!;
}
