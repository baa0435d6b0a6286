import { looksEnglish } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { RejectedDraft } from "../subjects.ts";

export const rejectedNotEnglish: Filter<RejectedDraft> = {
  reason: "rejected_not_english",
  assumes: "english",
  refuses: ({ response }) => !looksEnglish(response),
};
