import type { Asker } from "./asker.ts";
import { reviseByGrammar } from "./revise-by-grammar.ts";
import { reviseByLines } from "../small-models/revise-by-lines.ts";
import type { Similarity } from "./similarity.ts";
import type { Revision, Situation } from "./types.ts";

export function reviseThinking(ask: Asker, situation: Situation, similarity: Similarity): Promise<Revision> {
  return ask.promptSet("critic").style === "lines"
    ? reviseByLines(ask, situation, similarity)
    : reviseByGrammar(ask, situation);
}
