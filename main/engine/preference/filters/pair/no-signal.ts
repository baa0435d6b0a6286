import type { Filter } from "../filter.ts";
import type { Signal } from "../subjects.ts";

/** The method's own break condition. */
export const noSignal: Filter<Signal> = {
  reason: "no_signal",
  numbers: ["maxPairSimilarity"],
  refuses: ({ similarity, filters }) => similarity > filters.maxPairSimilarity,
};
