import { contentWords } from "../../../lib/text.ts";
import { addedWords } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { AnswerDraft } from "../subjects.ts";

/** What the answer adds to the question has to come from somewhere. */
export const answerUngrounded: Filter<AnswerDraft> = {
  reason: "answer_ungrounded",
  numbers: ["minAnswerGrounding"],
  refuses: ({ answer, question, grounds, filters }) =>
    shareIn(addedWords(answer, question), grounds) < filters.minAnswerGrounding,
};

function shareIn(stems: string[], text: string): number {
  const known = new Set(contentWords(text));
  return stems.length === 0 ? 0 : stems.filter((word) => known.has(word)).length / stems.length;
}
