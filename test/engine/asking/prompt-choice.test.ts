import { expect, test } from "vitest";
import { isSmallModel, promptSetFor } from "../../../main/engine/asking/index.ts";

test.each([
  [134_515_008, "tiny"],
  [999_999_999, "tiny"],
  [1_000_000_000, "standard"],
  [3_212_749_824, "standard"],
  // what is no file here has no size: it is asked as an able model, by every caller alike
  [null, "standard"],
] as const)("a model of %s parameters is asked with the %s prompts", (nParameters, promptSet) => {
  expect(promptSetFor({ nParameters })).toBe(promptSet);
  expect(isSmallModel({ nParameters })).toBe(promptSet === "tiny");
});
