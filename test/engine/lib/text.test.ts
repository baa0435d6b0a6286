import { describe, expect, test } from "vitest";
import {
  cutAtSentenceEnd,
  inventedFacts,
  longestSharedRun,
  looksEnglish,
  overlapShare,
  repetitionShare,
  stutters,
} from "../../../main/engine/lib/text.ts";

describe("text measures", () => {
  test("inflected words count as one", () => {
    expect(overlapShare("It improves conducting layers.", "Improved layers conduct.")).toBe(1);
  });

  test("a changed formula or number is seen, a repeated one is not", () => {
    const source = "LiFePO4 reached 160.5 mAh g−1 in XRD-pure cells.";
    expect(inventedFacts("LiCoPO4 reached 160.5 mAh.", source)).toEqual(["licopo4"]);
    expect(inventedFacts("It reached 160.4 mAh.", source)).toEqual(["160.4"]);
    expect(inventedFacts("Cells of LiFePO4 are XRD pure.", source)).toEqual([]);
  });

  test("loops and stutters stand out from prose", () => {
    expect(repetitionShare("the rate of the rate of the rate of the rate of it")).toBeGreaterThan(0.4);
    expect(repetitionShare("Small particles shorten the path of ions and raise the rate.")).toBe(0);
    expect(stutters("This is not only not only new.")).toBe(true);
    expect(stutters("The ion is in an inner pore.")).toBe(false);
  });

  test("copied runs are counted in words", () => {
    expect(
      longestSharedRun("We saw that the slow cooling of alloys hurts.", "Here the slow cooling of alloys helps."),
    ).toBe(5);
  });

  test("prose is English; symbols, other scripts and word heaps are not", () => {
    expect(looksEnglish("The rate of the cell is high because ions move fast in the open pores.")).toBe(true);
    expect(looksEnglish("石墨烯片包裹颗粒并提高导电性。")).toBe(false);
    expect(looksEnglish("cell rate pore ion path grain phase alloy carbon graphene cathode anode electrolyte")).toBe(
      false,
    );
  });

  test("a text is cut behind its last whole sentence", () => {
    expect(cutAtSentenceEnd("It is 0.5 nm wide. It grows. And th")).toBe("It is 0.5 nm wide. It grows.");
    expect(cutAtSentenceEnd("It never ends")).toBe("");
  });
});
