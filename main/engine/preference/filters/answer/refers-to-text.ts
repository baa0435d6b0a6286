import { REFERS_TO_TEXT } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerRefersToText: Filter<AnswerDraft> = {
  reason: "answer_refers_to_text",
  assumes: "english",
  refuses: ({ answer }) => REFERS_TO_TEXT.test(answer),
};
