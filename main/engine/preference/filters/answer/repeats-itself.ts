import { repetitionShare } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerRepeatsItself: Filter<AnswerDraft> = {
  reason: "answer_repeats_itself",
  numbers: ["maxRepetition"],
  refuses: ({ answer, filters }) => repetitionShare(answer) > filters.maxRepetition,
};
