import { describe, expect, test } from "vitest";
import { cleanSentence, isFact, usableSentences } from "../../../main/engine/small-models/excerpt.ts";
import { isGoodStatement } from "../../../main/engine/small-models/statement.ts";
import { keyTerms } from "../../../main/engine/small-models/terms.ts";

describe("sentences of papers", () => {
  test.each([
    ["As shown in Figure 4a, the pores of the carbon store ions [12, 13].", "The pores of the carbon store ions."],
    ["These results indicate that graphene (Liu et al., 2019) shortens the path.", "Graphene shortens the path."],
    ["Copper stabilises the undercooled liquid33,34,36.", "Copper stabilises the undercooled liquid."],
    ["Furthermore, the alloy (Figure 2) becomes hard.", "The alloy becomes hard."],
    ["CONCLUSION A composite was prepared from graphene.", "A composite was prepared from graphene."],
  ])("%s", (sentence, cleaned) => {
    expect(cleanSentence(sentence)).toBe(cleaned);
  });

  test("captions, headers, half sentences and talk about the paper stay behind", () => {
    const good = "The open pores of the carbon store lithium ions and shorten their path.";
    const page = [
      "and improves the rate capability of the cell in the end.",
      good,
      "Figure 3 | Raman spectra of both composites at room temperature.",
      "In this study, we report a carbon that stores lithium ions in its pores.",
      "Comparison of the performance of various carbons from plants.",
      "Nanomaterials 2020, 10, 346 5 of 11 The anode was measured in the cell.",
    ];
    const text = page.join("\n");
    const sentences = usableSentences(text);
    expect(sentences.map((sentence) => sentence.text)).toEqual([good]);
    expect(text.slice(sentences[0]!.start, sentences[0]!.end)).toBe(good);
  });

  test("a sentence that leans on the one before it is known", () => {
    expect(isFact("This shortens the path.")).toBe(false);
    expect(isFact("The pores shorten the path.")).toBe(true);
  });

  test("what was done is no fact, unless it says what came of it", () => {
    expect(isFact("The lysate was spread onto plates at room temperature.")).toBe(false);
    expect(isFact("The alloy was cooled slowly, which reduced its hardness.")).toBe(true);
  });
});

test.each([
  ["says it shorter", "Small particles of LiFePO4 shorten the path of ions.", true],
  ["changes the formula", "Small particles of LiCoPO4 shorten the path of ions.", false],
  ["turns it round", "Small particles of LiFePO4 do not shorten the path of ions.", false],
  ["talks about the text", "The text says that small particles of LiFePO4 shorten the path.", false],
  ["is another fact", "Large crystals melt at higher temperatures in vacuum.", false],
  ["has no end", "Small particles of LiFePO4 shorten the path of", false],
  ["stutters", "Small particles small particles shorten the path of ions.", false],
])("a rewrite that %s: %s", (_, statement, isGood) => {
  const source = "It is clear that the small particles of LiFePO4 shorten the migration path of lithium ions.";
  const check = { source, earlier: [], minOverlap: 0.8, exampleStems: new Set<string>(), isRewrite: true };
  expect(isGoodStatement(statement, check)).toBe(isGood);
});

test("key terms are runs of the text, without verbs, without repeats", () => {
  const text =
    "Graphene sheets improve the electrical conductivity of the cathode. Graphene sheets shorten the diffusion path.";
  const terms = keyTerms(text, "How do graphene sheets help the cathode?", 4);
  expect(terms[0]).toBe("graphene sheets");
  expect(terms).toContain("electrical conductivity");
  for (const term of terms) expect(text.toLowerCase()).toContain(term.toLowerCase());
});
