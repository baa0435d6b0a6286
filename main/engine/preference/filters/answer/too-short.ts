import { words } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerTooShort: Filter<AnswerDraft> = {
  reason: "answer_too_short",
  numbers: ["minAnswerWords"],
  refuses: ({ answer, filters }) => words(answer).length < filters.minAnswerWords,
};
