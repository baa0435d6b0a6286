import { looksEnglish } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerNotEnglish: Filter<AnswerDraft> = {
  reason: "answer_not_english",
  assumes: "english",
  refuses: ({ answer }) => !looksEnglish(answer),
};
