import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerEmpty: Filter<AnswerDraft> = {
  reason: "answer_empty",
  refuses: ({ answer }) => answer === "",
};
