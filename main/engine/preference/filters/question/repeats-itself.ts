import { repetitionShare, stutters } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

export const questionRepeatsItself: Filter<QuestionDraft> = {
  reason: "question_repeats_itself",
  refuses: ({ question }) => repetitionShare(question, 3) > 0 || stutters(question),
};
