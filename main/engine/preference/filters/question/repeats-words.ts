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
  const numbers = words(question).filter(isNumber);
  const others = contentWords(question).filter((word) => !isNumber(word));
  return isOftener(numbers, 1) || isOftener(others, 2);
}

const isNumber = (word: string) => /^\d/.test(word);

function isOftener(all: string[], times: number): boolean {
  const counts = new Map<string, number>();
  for (const word of all) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts.values()].some((n) => n > times);
}
