import { stutters } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerStutters: Filter<AnswerDraft> = {
  reason: "answer_repeats_itself",
  refuses: ({ answer }) => stutters(answer),
};
