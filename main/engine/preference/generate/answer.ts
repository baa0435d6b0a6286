import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import type { PromptSet } from "../../asking/index.ts";
import {
  contentWords,
  cutAtSentenceEnd,
  inventedFacts,
  longestSharedRun,
  looksEnglish,
  overlapShare,
  repetitionShare,
  stutters,
  words,
} from "../../lib/text.ts";
import { type Ask, nTries } from "../../asking/index.ts";
import { type FilterReason, filtered, found, type Outcome } from "../filters/outcome.ts";
import type { Recipe } from "../../recipe/index.ts";
import type { PairWriter } from "./pair-writer.ts";
import { asList, formatThinking } from "./thinking.ts";
import { copiesExamples, exampleStems, REFERS_TO_TEXT } from "../filters/wording.ts";

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
  const values = {
    question,
    facts: asList(thinking[0]?.statements ?? []),
    thinking: formatThinking(thinking),
    context: context.join("\n\n"),
  };
  let reason: FilterReason = "answer_empty";
  for (let attempt = 0; attempt < nTries(promptSet, "answer"); attempt++) {
    const { text } = await ask("answer", values, { attempt });
    const answer = input.writer.tidyAnswer(cutAtSentenceEnd(text));
    const problem = answerProblem(answer, input);
    if (!problem) return found(answer);
    reason = problem;
  }
  return filtered(reason);
}

/** Null when the answer can be used. */
export function answerProblem(answer: string, input: Omit<AnswerInput, "ask" | "writer">): FilterReason | null {
  const { filters, markers } = input.recipe;
  const grounds = [formatThinking(input.thinking), ...input.context].join("\n");
  const sources = `${input.question}\n${grounds}`;
  if (answer === "") return "answer_empty";
  if (Object.values(markers).some((marker) => answer.includes(marker))) return "chosen_malformed";
  if (words(answer).length < filters.minAnswerWords) return "answer_too_short";
  if (REFERS_TO_TEXT.test(answer)) return "answer_refers_to_text";
  if (!looksEnglish(answer)) return "answer_not_english";
  if (repetitionShare(answer) > filters.maxRepetition) return "answer_repeats_itself";
  const added = newWords(answer, input.question);
  if (added.length < filters.minNewAnswerWords) return "answer_repeats_question";
  if (stutters(answer)) return "answer_repeats_itself";
  if (inventedFacts(answer, sources).length > 0) return "answer_invented_facts";
  if (copiesExamples(answer, sources, exampleStems(input.promptSet, "answer"))) return "answer_off_topic";
  if (overlapShare(answer, sources) < filters.minAnswerOverlap) return "answer_off_topic";
  if (shareIn(added, grounds) < filters.minAnswerGrounding) return "answer_ungrounded";
  const isCopied = input.context.some((text) => longestSharedRun(answer, text) > filters.maxCopiedWords);
  return isCopied ? "answer_copies_context" : null;
}

/** The different content words that the answer adds to the question. */
function newWords(answer: string, question: string): string[] {
  const asked = new Set(contentWords(question));
  return [...new Set(contentWords(answer))].filter((word) => !asked.has(word));
}

function shareIn(stems: string[], text: string): number {
  const known = new Set(contentWords(text));
  return stems.length === 0 ? 0 : stems.filter((word) => known.has(word)).length / stems.length;
}
