import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_MARKERS, type MarkerSet } from "../../main/shared/markers.ts";
import { formatResponse, parseResponse } from "../../main/shared/response-format.ts";

const THINK_MARKERS: MarkerSet = {
  thinkingOpen: "<think>",
  thinkingClose: "</think>",
  reflectOpen: "<reflect>",
  reflectClose: "</reflect>",
};
const markerSets = fc.constantFrom(DEFAULT_MARKERS, THINK_MARKERS);
const parse = (text: string) => parseResponse(text, DEFAULT_MARKERS);

describe("parseResponse", () => {
  it("reads a well-formed response without problems", () => {
    const text = "<|thinking|>\nSilk is protein.\n<|/thinking|>\n<|reflect|>\nToo short.\n<|/reflect|>\nProtein.";
    expect(parse(text)).toEqual({
      thinking: "Silk is protein.",
      reflection: "Too short.",
      answer: "Protein.",
      problems: [],
    });
  });

  it.each([
    ["plain text is an answer", "Protein.", ["", "", "Protein."], ["thinking_missing"]],
    ["an unclosed block takes the rest", "<|thinking|>a b", ["a b", "", ""], ["thinking_unclosed", "answer_missing"]],
    ["a pre-filled opening marker may be absent", "a\n<|/thinking|>\nb", ["a", "", "b"], ["thinking_unopened"]],
    [
      "repeated blocks are joined",
      "<|thinking|>a<|/thinking|>b<|thinking|>c<|/thinking|>d",
      ["a\nc", "", "b\nd"],
      ["thinking_repeated", "reordered"],
    ],
    [
      "a marker inside its own block is dropped",
      "<|thinking|>a<|thinking|>b<|/thinking|>c",
      ["a\nb", "", "c"],
      ["thinking_nested"],
    ],
    [
      "a block within another is its own part",
      "<|thinking|>a<|reflect|>r<|/reflect|>b<|/thinking|>c",
      ["a\nb", "r", "c"],
      ["reflection_nested", "reordered"],
    ],
    [
      "a block that another one follows was left open",
      "<|thinking|>a<|reflect|>r<|/reflect|>c",
      ["a", "r", "c"],
      ["thinking_unclosed"],
    ],
    [
      "reflection before thinking is reordered",
      "<|reflect|>r<|/reflect|><|thinking|>a<|/thinking|>c",
      ["a", "r", "c"],
      ["reordered"],
    ],
    ["an answer before the thinking is reordered", "c<|thinking|>a<|/thinking|>", ["a", "", "c"], ["reordered"]],
    ["nothing is missing everything", "", ["", "", ""], ["thinking_missing", "answer_missing"]],
  ])("%s", (_, text, [thinking, reflection, answer], problems) => {
    const parsed = parse(text);
    expect([parsed.thinking, parsed.reflection, parsed.answer]).toEqual([thinking, reflection, answer]);
    expect(parsed.problems.toSorted()).toEqual(problems.toSorted());
  });

  it("loses no word and keeps no marker, whatever the order of the markers", () => {
    fc.assert(
      fc.property(
        markerSets,
        fc.array(fc.oneof(fc.nat(3), fc.stringMatching(/^[a-z.<|>/\n ]{0,12}$/))),
        (markers, items) => {
          const strings = Object.values(markers);
          const text = items.map((item) => (typeof item === "number" ? strings[item]! : item)).join("");
          const { thinking, reflection, answer } = parseResponse(text, markers);
          const all = `${thinking}\n${reflection}\n${answer}`;
          for (const marker of strings) expect(all).not.toContain(marker);
          const letters = (value: string) => value.replaceAll(/\s/g, "").split("").toSorted().join("");
          const withoutMarkers = strings
            .toSorted((a, b) => b.length - a.length)
            .reduce((rest, marker) => rest.split(marker).join("\n"), text);
          expect(letters(all)).toBe(letters(withoutMarkers));
        },
      ),
    );
  });

  it("never throws on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), markerSets, (text, markers) => void parseResponse(text, markers)),
    );
  });
});

describe("formatResponse", () => {
  const part = fc.stringMatching(/^[A-Za-z0-9.,<>|/ \n]{0,60}$/);

  it("is undone by parseResponse, even when the parts hold markers", () => {
    fc.assert(
      fc.property(markerSets, part, part, part, fc.boolean(), (markers, thinking, reflection, answer, hasMarker) => {
        const dirty = hasMarker ? `${thinking}${markers.thinkingClose}x` : `${thinking}x`;
        const text = formatResponse({ thinking: dirty, reflection, answer: `${answer}y` }, markers);
        const parsed = parseResponse(text, markers);
        expect(parsed.problems).toEqual([]);
        expect(formatResponse(parsed, markers)).toBe(text);
        if (!hasMarker) expect(parsed.thinking).toBe(`${thinking}x`.trim());
      }),
    );
  });

  it("puts a newline before every marker but the first", () => {
    const text = formatResponse({ thinking: "a.", reflection: "r.", answer: "c." }, DEFAULT_MARKERS);
    expect(text).toBe("<|thinking|>\na.\n<|/thinking|>\n<|reflect|>\nr.\n<|/reflect|>\nc.");
  });
});
