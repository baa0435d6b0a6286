import type { PairWriter } from "../preference/index.ts";
import type { Recipe } from "../recipe/index.ts";
import { explains, isFact, usableSentences } from "./excerpt.ts";
import { thinkByLines } from "./think-by-lines.ts";
import { withoutBadSentences } from "./tidy-answer.ts";

/** The way of teachers that cannot fill a schema: they are shown whole sentences only, and asked for one line at a time. */
export const linesWriter: PairWriter = {
  name: "lines",
  passageOf(text, recipe) {
    const sentences = usableSentences(text);
    return hasEnough(sentences, recipe) ? sentences.join(" ") : null;
  },
  readQuestion: ({ text }) => text.replace(/^Question:\s*/i, "").trim(),
  writeThinking: thinkByLines,
  tidyAnswer: withoutBadSentences,
};

function hasEnough(sentences: string[], { filters }: Recipe): boolean {
  const own = sentences.filter(isFact);
  return own.length >= filters.minSourceSentences && own.filter(explains).length >= filters.minExplainingSentences;
}
