import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerHoldsMarkers: Filter<AnswerDraft> = {
  reason: "chosen_malformed",
  refuses: ({ answer, markers }) => Object.values(markers).some((marker) => answer.includes(marker)),
};
