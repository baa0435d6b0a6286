import { REFERS_TO_TEXT } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

export const questionRefersToText: Filter<QuestionDraft> = {
  reason: "question_refers_to_text",
  assumes: "english",
  refuses: ({ question }) => REFERS_TO_TEXT.test(question),
};
