import type { Asker } from "./asker.ts";
import { reviseByGrammar } from "./revise-by-grammar.ts";
import type { Similarity } from "./similarity.ts";
import type { Revision, Situation } from "./types.ts";

/** How a critic criticises and improves a thinking. */
export type Reviser = (ask: Asker, situation: Situation, similarity: Similarity) => Promise<Revision>;

/** A critic that cannot fill a schema is given `byLines`, which lies apart from the method: createEngine hands it in. */
export function reviserFor(ask: Asker, byLines: Reviser): Reviser {
  return ask.promptSet("critic").style === "lines" ? byLines : reviseByGrammar;
}
