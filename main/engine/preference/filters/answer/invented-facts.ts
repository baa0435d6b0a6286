import { inventedFacts } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerInventedFacts: Filter<AnswerDraft> = {
  reason: "answer_invented_facts",
  refuses: ({ answer, question, grounds }) => inventedFacts(answer, `${question}\n${grounds}`).length > 0,
};
