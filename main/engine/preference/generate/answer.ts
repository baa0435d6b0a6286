import type { FilterReason } from "../../../shared/filter-reasons.ts";
import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import { type Ask, nTries, type PromptSet } from "../../asking/index.ts";
import { cutAtSentenceEnd } from "../../lib/text.ts";
import type { Recipe } from "../../recipe/index.ts";
import { refusalOf } from "../filters/filter.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import { filterRegistry } from "../filters/registry.ts";
import { exampleStems } from "../filters/wording.ts";
import type { PairWriter } from "./pair-writer.ts";
import { asList, formatThinking, textsOf } from "./thinking.ts";

export type AnswerInput = {
  ask: Ask;
  promptSet: PromptSet;
  writer: PairWriter;
  recipe: Recipe;
  question: string;
  thinking: ThinkingSection[];
  context: string[];
};

/** The answer from thinking and context: tried until one passes every filter, else the last reason. */
export async function writeAnswer(input: AnswerInput): Promise<Outcome<string>> {
  const { ask, promptSet, question, thinking, context } = input;
  const { filters, markers } = input.recipe;
  const formatted = formatThinking(thinking);
  const values = {
    question,
    facts: asList(textsOf(thinking[0])),
    thinking: formatted,
    context: context.join("\n\n"),
  };
  const grounds = [formatted, ...context].join("\n");
  const rest = { question, grounds, context, exampleStems: exampleStems(promptSet, "answer"), markers, filters };
  let reason: FilterReason = "answer_empty";
  let refused = "";
  for (let attempt = 0; attempt < nTries(promptSet, "answer"); attempt++) {
    const { text } = await ask("answer", values, { attempt });
    const answer = input.writer.tidyAnswer(cutAtSentenceEnd(text));
    const problem = refusalOf(filterRegistry.answer, { answer, ...rest }, input.recipe.language);
    if (!problem) return found(answer);
    // an answer of which nothing was left is shown as it was written
    refused = answer || text;
    reason = problem;
  }
  return filtered(reason, refused);
}
