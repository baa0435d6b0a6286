import { overlapShare } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

export const questionOffTopic: Filter<QuestionDraft> = {
  reason: "question_off_topic",
  numbers: ["minQuestionOverlap"],
  refuses: ({ question, passage, filters }) => overlapShare(question, passage) < filters.minQuestionOverlap,
};
