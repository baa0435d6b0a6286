import { addedWords } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

export const answerRepeatsQuestion: Filter<AnswerDraft> = {
  reason: "answer_repeats_question",
  numbers: ["minNewAnswerWords"],
  refuses: ({ answer, question, filters }) => addedWords(answer, question).length < filters.minNewAnswerWords,
};
