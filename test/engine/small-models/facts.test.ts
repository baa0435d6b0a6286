import { describe, expect, test } from "vitest";
import { faithfulnessProblem } from "../../../main/engine/small-models/facts.ts";

const source = "The LiFePO4 nanoparticles of 50 nm shorten the diffusion path of lithium ions in the cathode.";

describe("faithfulnessProblem", () => {
  test("accepts a shorter sentence in the source's own words", () =>
    expect(
      faithfulnessProblem("LiFePO4 nanoparticles shorten the diffusion path of lithium ions.", source),
    ).toBeNull());
  test("refuses another formula or number", () => {
    expect(faithfulnessProblem("LiCoPO4 nanoparticles shorten the diffusion path of lithium ions.", source)).toContain(
      "licopo4",
    );
    expect(faithfulnessProblem("LiFePO4 nanoparticles of 80 nm shorten the diffusion path.", source)).toContain("80");
  });
  test("refuses a name that the source does not have", () =>
    expect(
      faithfulnessProblem("Nanoparticles by Lithion shorten the diffusion path of lithium ions.", source),
    ).toContain("Lithion"));
  test("refuses what the source does not speak of", () =>
    expect(faithfulnessProblem("Batteries are a popular choice for electric vehicles today.", source)).toBe(
      "strays from its source",
    ));
  test("refuses talk about the text", () =>
    expect(faithfulnessProblem("The text says that LiFePO4 nanoparticles shorten the diffusion path.", source)).toBe(
      "speaks of the text",
    ));
});
