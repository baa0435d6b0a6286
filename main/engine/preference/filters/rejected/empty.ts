import type { Filter } from "../filter.ts";
import type { RejectedDraft } from "../subjects.ts";

export const rejectedEmpty: Filter<RejectedDraft> = {
  reason: "rejected_empty",
  refuses: ({ response }) => response === "",
};
