import type { Filter } from "../filter.ts";
import type { RejectedDraft } from "../subjects.ts";

/** Thinking without an end has no answer: a mask could not tell what of it may carry loss. */
export const rejectedUnclosed: Filter<RejectedDraft> = {
  reason: "rejected_unclosed",
  refuses: ({ isUnclosed }) => isUnclosed,
};
