import { contentWords, words } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

/** "How does the curve change from 2000 K to 2000 K?" Function words may come again, and which those are is known for English. */
export const questionRepeatsWords: Filter<QuestionDraft> = {
  reason: "question_repeats_itself",
  assumes: "english",
  refuses: ({ question }) => repeatsWords(question),
};

function repeatsWords(question: string): boolean {
  const counts = new Map<string, number>();
  for (const word of [...contentWords(question), ...words(question).filter((token) => /^\d/.test(token))]) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].some(([word, n]) => n > (/^\d/.test(word) ? 1 : 2));
}
