import { copiesExamples } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerCopiedFromPrompt: Filter<AnswerDraft> = {
  reason: "answer_off_topic",
  refuses: ({ answer, question, grounds, exampleStems }) =>
    copiesExamples(answer, `${question}\n${grounds}`, exampleStems),
};
