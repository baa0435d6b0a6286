import { words } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

const MAX_WORDS = 30;

/** One sentence that ends as a question does. */
export const questionForm: Filter<QuestionDraft> = {
  reason: "question_form",
  refuses: ({ question }) =>
    !/^[^?]+\?$/.test(question) || !/^["“„«¿]?\p{L}/u.test(question) || words(question).length > MAX_WORDS,
};
