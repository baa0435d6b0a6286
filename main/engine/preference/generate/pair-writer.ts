import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import type { Answer, Ask, PromptSet } from "../../asking/index.ts";
import type { Embedder } from "../../embedding/index.ts";
import type { Recipe } from "../../recipe/index.ts";
import type { Passage } from "./passage.ts";

/**
 * How a pair is got out of a teacher. One that can fill a schema is shown the page as it stands and answers in JSON
 * (write-by-grammar.ts). A very small one needs code that picks, asks for single lines and checks them: that way lies
 * apart from the method, and createEngine hands it in.
 */
export type PairWriter = {
  /** Kept with each pair. */
  name: "lines" | "grammar";
  /** Its code knows the words of English only: recipes in another language are refused before any work. */
  assumes?: "english";
  /** What the teacher is shown of a widened source chunk; null when that is too little to ask about. */
  passageOf(source: Passage, recipe: Recipe): Passage | null;
  readQuestion(answer: Answer): string;
  /** Each statement with the spans that it rests on: known where code picked a sentence, located where a model wrote. */
  writeThinking(input: ThinkingInput): Promise<ThinkingSection[]>;
  /** The answer without sentences that should not stand, before it is judged. */
  tidyAnswer(answer: string): string;
};

export type ThinkingInput = {
  ask: Ask;
  promptSet: PromptSet;
  embedder: Embedder;
  recipe: Recipe;
  question: string;
  /** The source passage first, then one text per retrieved chunk. */
  context: Passage[];
  signal: AbortSignal;
};
