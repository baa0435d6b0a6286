import { contentWords } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

const MIN_CONTENT_WORDS = 3;

export const questionTooShort: Filter<QuestionDraft> = {
  reason: "question_too_short",
  refuses: ({ question }) => new Set(contentWords(question)).size < MIN_CONTENT_WORDS,
};
