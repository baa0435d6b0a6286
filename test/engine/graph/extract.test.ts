import { describe, expect, test } from "vitest";
import { conceptType } from "../../../main/engine/graph/rules/concept-type.ts";
import { extract } from "../../../main/engine/graph/rules/extract.ts";
import { isFormula, keyOf, labelOf, singular } from "../../../main/engine/graph/rules/labels.ts";

const read = (...statements: string[]) => extract(statements.map((text) => ({ section: "Reasoning Steps", text })));
const relationsOf = (...statements: string[]) =>
  read(...statements).relations.map(({ source, type, target }) => `${source} | ${type} | ${target}`);
const labelsOf = (...statements: string[]) => read(...statements).concepts.map(({ label }) => label);

describe("relations", () => {
  test.each([
    [
      "Graphene improves the electrical conductivity of the cathode.",
      ["graphene | improves | electrical conductivity", "cathode | has property | electrical conductivity"],
    ],
    ["ADARs bind to dsRNA.", ["adar | binds | dsrna"]],
    ["P. aeruginosa is an opportunistic pathogen.", ["p. aeruginosa | is a | opportunistic pathogen"]],
    [
      "The addition of graphene greatly increases the discharge capacity.",
      ["graphene | increases | discharge capacity"],
    ],
    ["The conductivity is improved by graphene.", ["graphene | improves | conductivity"]],
    [
      "Annealing reduces the grain size and improves the ductility.",
      ["annealing | reduces | grain size", "grain | has property | grain size", "annealing | improves | ductility"],
    ],
    ["The microstructure consists of two metastable phases.", ["microstructure | contains | metastable phase"]],
    ["Silk fibroin is used to improve the toughness.", []],
    ["Graphene oxide is used to improve the toughness.", ["graphene oxide | improves | toughness"]],
    [
      "The cooling rate depends on the alloy composition.",
      ["cooling rate | requires | alloy composition", "cooling | has property | cooling rate"],
    ],
    [
      "Ageing leads to precipitation of Mg2Si.",
      ["ageing | causes | precipitation", "precipitation | involves | mg2si"],
    ],
    ["Pathogens such as P. aeruginosa infect the intestine.", ["p. aeruginosa | is a | pathogen"]],
    [
      "Graphene sheets enhance capacity, cycling stability and rate capability.",
      [
        "graphene sheet | improves | capacity",
        "graphene sheet | improves | cycling stability",
        "graphene sheet | improves | rate capability",
        "graphene sheet | contains | graphene",
        "cycling | has property | cycling stability",
      ],
    ],
  ])("%s", (sentence, expected) => expect(relationsOf(sentence).toSorted()).toEqual([...expected].toSorted()));

  test.each([
    "Graphene does not improve the conductivity.",
    "It is unclear whether graphene improves the conductivity.",
    "Without graphene the cathode loses capacity.",
    "A lack of collagen reduces the stiffness.",
    "The conductivity is improved.",
    "The interface between graphene and LiFePO4 improves the conductivity.",
    "Adding salt improves everything.",
  ])("states none: %s", (sentence) => {
    const verbs = relationsOf(sentence).filter((relation) => /improves|reduces/.test(relation));
    expect(verbs).toEqual([]);
  });
});

describe("concepts", () => {
  test("are named in the singular, as in the middle of a sentence, with formulas and species as they are", () => {
    expect(labelsOf("Nanoparticles of LiFePO4 coat the graphene sheets.")).toEqual([
      "nanoparticle",
      "LiFePO4",
      "graphene sheet",
      "graphene",
    ]);
    expect(labelsOf("C. elegans and Caenorhabditis elegans eat bacteria.")).toEqual([
      "C. elegans",
      "Caenorhabditis elegans",
      "bacteria",
    ]);
  });

  test("are one for every way of writing the same name", () => {
    const { concepts } = read("The glass-forming alloy melts.", "Glass forming alloys are costly.");
    expect(concepts.map(({ key }) => key)).toEqual(["glass forming alloy"]);
    expect(concepts[0]!.evidence).toHaveLength(2);
  });

  test("are left out when they are too general, a description or no name at all", () => {
    expect(
      labelsOf(
        "This method shows a good result for people.",
        "It is important.",
        "The process has a high value of 5 mm.",
      ),
    ).toEqual([]);
  });

  test("come from lists of concepts too, with the sentence as evidence where one speaks of them", () => {
    const entries = ["solid solution", "heat flow curve, isothermal holding", "describes"];
    const { concepts } = extract([
      { section: "Reasoning Steps", text: "The solid solution decomposes during isothermal holding." },
      ...entries.map((text) => ({ section: "Relevant Materials or Concepts", text })),
    ]);
    const said = concepts.map(({ label, evidence }) => [label, evidence[0]!.section, evidence[0]!.statement]);
    expect(concepts.every(({ evidence }) => evidence.length === 1)).toBe(true);
    expect(said).toEqual([
      ["solid solution", "Reasoning Steps", 0],
      ["isothermal holding", "Reasoning Steps", 0],
      ["heat flow curve", "Relevant Materials or Concepts", 2],
    ]);
  });

  test("have a type by their head", () => {
    const types = [
      "LiFePO4",
      "graphene oxide",
      "cuticle",
      "rate capability",
      "age hardening",
      "Raman spectroscopy",
      "C. elegans",
      "innate immunity",
      "BT0",
    ];
    expect(types.map(conceptType)).toEqual([
      "material",
      "material",
      "structure",
      "property",
      "process",
      "method",
      "organism",
      "function",
      "other",
    ]);
  });
});

test("every relation joins concepts of the same thinking, and every sentence of evidence stands in it", () => {
  const statements = [
    "Graphene improves the conductivity.",
    "Ageing leads to precipitation of Mg2Si, and quenching prevents diffusion.",
  ];
  const { concepts, relations } = read(...statements);
  const keys = new Set(concepts.map(({ key }) => key));
  expect(relations.length).toBeGreaterThan(2);
  for (const { source, target, evidence } of relations) {
    expect(keys).toContain(source);
    expect(keys).toContain(target);
    for (const { sentence } of evidence) expect(statements.join(" ")).toContain(sentence);
  }
});

test("names of things", () => {
  expect(["LiFePO4", "Mg2Si", "AlMgSi", "Fe2O3", "NaCl"].every(isFormula)).toBe(true);
  expect(["SEM", "Graphene", "BT0x", "Table2", "DNA", "I", "He"].some(isFormula)).toBe(false);
  expect(["analyses", "batteries", "phases", "glasses", "mass", "species", "ADARs", "axes"].map(singular)).toEqual([
    "analysis",
    "battery",
    "phase",
    "glass",
    "mass",
    "species",
    "ADAR",
    "axis",
  ]);
  expect(labelOf("Metallic glasses", true)).toBe("metallic glass");
  expect(keyOf("Glass-forming  Alloy")).toBe("glass forming alloy");
});
