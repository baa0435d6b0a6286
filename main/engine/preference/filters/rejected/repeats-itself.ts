import { repetitionShare } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { RejectedDraft } from "../subjects.ts";

/** A rejected response may be worse but must not be a loop. */
export const rejectedRepeatsItself: Filter<RejectedDraft> = {
  reason: "rejected_repeats_itself",
  numbers: ["maxRejectedRepetition"],
  refuses: ({ response, filters }) => repetitionShare(response) > filters.maxRejectedRepetition,
};
