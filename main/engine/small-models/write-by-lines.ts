import type { Span } from "../../shared/sentences.ts";
import { type PairWriter, type Passage, type Piece, spansIn } from "../preference/index.ts";
import type { Recipe } from "../recipe/index.ts";
import { explains, isFact, usableSentences } from "./excerpt.ts";
import { thinkByLines } from "./think-by-lines.ts";
import { withoutBadSentences } from "./tidy-answer.ts";

/** The way of teachers that cannot fill a schema: they are shown whole sentences only, and asked for one line at a time. */
export const linesWriter: PairWriter = {
  name: "lines",
  assumes: "english",
  passageOf(source, recipe) {
    const sentences = usableSentences(source.text);
    return hasEnough(sentences, recipe) ? joinSentences(sentences, source) : null;
  },
  readQuestion: ({ text }) => text.replace(/^Question:\s*/i, "").trim(),
  writeThinking: thinkByLines,
  tidyAnswer: withoutBadSentences,
};

/** The cleaned sentences as one text, each with where its own words stand. */
function joinSentences(sentences: readonly Span[], source: Passage): Passage {
  const pieces: Piece[] = [];
  let from = 0;
  for (const { text, start, end } of sentences) {
    const to = from + text.length;
    for (const span of spansIn(source, start, end)) pieces.push({ from, to, span, isVerbatim: false });
    from = to + 1;
  }
  return { text: sentences.map(({ text }) => text).join(" "), pieces };
}

function hasEnough(sentences: readonly Span[], { filters }: Recipe): boolean {
  const own = sentences.map(({ text }) => text).filter(isFact);
  return own.length >= filters.minSourceSentences && own.filter(explains).length >= filters.minExplainingSentences;
}
