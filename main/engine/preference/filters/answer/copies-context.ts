import { longestSharedRun } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerCopiesContext: Filter<AnswerDraft> = {
  reason: "answer_copies_context",
  numbers: ["maxCopiedWords"],
  refuses: ({ answer, context, filters }) =>
    context.some((text) => longestSharedRun(answer, text) > filters.maxCopiedWords),
};
