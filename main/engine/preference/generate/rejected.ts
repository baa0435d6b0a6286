import type { Stage } from "../../../shared/contract/preference.ts";
import { cutAtSentenceEnd, looksEnglish, repetitionShare } from "../../lib/text.ts";
import type { PromptSet } from "../../asking/index.ts";
import { type Ask, nTries } from "../../asking/index.ts";
import { type FilterReason, filtered, found, type Outcome } from "../filters/outcome.ts";
import type { Filters } from "../../recipe/index.ts";

/**
 * The response of the policy as it now is to the same question. ORPO's is told to answer at once, so that thinking is
 * what the preference is about; EXO's is whatever the policy does with the prompt that it is trained on.
 */
export async function writeRejected(input: {
  ask: Ask;
  promptSet: PromptSet;
  stage: Stage;
  question: string;
  filters: Pick<Filters, "maxRejectedRepetition">;
}): Promise<Outcome<string>> {
  const { ask, promptSet, stage, question, filters } = input;
  const task = `rejected-${stage}`;
  let reason: FilterReason = "rejected_empty";
  for (let attempt = 0; attempt < nTries(promptSet, task); attempt++) {
    const { text, stopReason } = await ask(task, { question }, { attempt });
    // half a sentence at the end would teach that chosen responses are those that end
    const response = stopReason === "max_tokens" ? cutAtSentenceEnd(text) : text;
    const problem = rejectedProblem(response, filters);
    if (!problem) return found(response);
    reason = problem;
  }
  return filtered(reason);
}

export function rejectedProblem(
  response: string,
  filters: Pick<Filters, "maxRejectedRepetition">,
): FilterReason | null {
  if (response === "") return "rejected_empty";
  if (!looksEnglish(response)) return "rejected_not_english";
  return repetitionShare(response) > filters.maxRejectedRepetition ? "rejected_repeats_itself" : null;
}
