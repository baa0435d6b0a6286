import type { Filter } from "../filter.ts";
import type { PairLength } from "../subjects.ts";

/** A pair is left out rather than cut. The number is the stage's max_length. */
export const tooLong: Filter<PairLength> = {
  reason: "too_long",
  refuses: ({ nTokens, maxLength }) => nTokens > maxLength,
};
