import { overlapShare } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerOffTopic: Filter<AnswerDraft> = {
  reason: "answer_off_topic",
  numbers: ["minAnswerOverlap"],
  refuses: ({ answer, question, grounds, filters }) =>
    overlapShare(answer, `${question}\n${grounds}`) < filters.minAnswerOverlap,
};
