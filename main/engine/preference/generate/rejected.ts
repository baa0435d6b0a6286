import type { FilterReason } from "../../../shared/filter-reasons.ts";
import { cutAtSentenceEnd } from "../../lib/text.ts";
import type { PromptSet } from "../../asking/index.ts";
import { type Ask, nTries, renderPrompt } from "../../asking/index.ts";
import { type Recipe, rejectedOf, type StageRecipe } from "../../recipe/index.ts";
import { findThinking } from "../encode/find-thinking.ts";
import { refusalOf } from "../filters/filter.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import { filterRegistry } from "../filters/registry.ts";

/**
 * The response of the policy as it now is to the same question, in the manner that the stage asks for. The stage's name
 * decides the seeds, whatever the prompt's file is called.
 */
export async function writeRejected(input: {
  ask: Ask;
  promptSet: PromptSet;
  stage: StageRecipe;
  question: string;
  recipe: Recipe;
}): Promise<Outcome<string>> {
  const { ask, promptSet, stage, question } = input;
  const { filters, language, markers } = input.recipe;
  const task = `rejected-${rejectedOf(stage)}`;
  const stream = `rejected-${stage.name}`;
  const { messages } = renderPrompt(promptSet.task(task), { question }, 0);
  const prompt = messages.map(({ content }) => content).join("\n");
  let reason: FilterReason = "rejected_empty";
  let refused = "";
  for (let attempt = 0; attempt < nTries(promptSet, task); attempt++) {
    const { text, stopReason, isUnclosed } = await ask(task, { question }, { attempt, stream });
    // half a sentence at the end would teach that chosen responses are those that end
    const response = stopReason === "max_tokens" ? cutAtSentenceEnd(text) : text;
    const { isClosed, answerStart } = findThinking(response, markers);
    const draft = {
      response,
      answer: response.slice(answerStart),
      prompt,
      isUnclosed: isUnclosed || (stage.mask !== "none" && !isClosed),
      filters,
    };
    const problem = refusalOf(filterRegistry.rejected, draft, language);
    if (!problem) return found(response);
    refused = response || text;
    reason = problem;
  }
  return filtered(reason, refused);
}
