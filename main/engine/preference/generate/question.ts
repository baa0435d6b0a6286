import { type Embedder, embedWhole } from "../../embedding/index.ts";
import type { PromptSet } from "../../asking/index.ts";
import { contentWords, inventedFacts, overlapShare, repetitionShare, stutters, words } from "../../lib/text.ts";
import { type Ask, nTries } from "../../asking/index.ts";
import { type FilterReason, filtered, found, type Outcome } from "../filters/outcome.ts";
import type { Filters } from "../../recipe/index.ts";
import type { PairWriter } from "./pair-writer.ts";
import { cosine, type Vector } from "../similarity.ts";
import { copiesExamples, exampleStems, REFERS_TO_TEXT } from "../filters/wording.ts";

export type Question = { text: string; vector: Vector };

const MIN_CONTENT_WORDS = 3;

/** One question that the passage answers: tried until one passes every filter, else the last reason. */
export async function writeQuestion(input: {
  ask: Ask;
  promptSet: PromptSet;
  writer: PairWriter;
  embedder: Embedder;
  passage: string;
  filters: Filters;
  /** Vectors of the questions asked before. */
  earlier: Vector[];
  signal: AbortSignal;
}): Promise<Outcome<Question>> {
  const { ask, promptSet, passage, filters } = input;
  let reason: FilterReason = "question_form";
  for (let attempt = 0; attempt < nTries(promptSet, "question"); attempt++) {
    const answer = await ask("question", { text: passage }, { attempt });
    const text = input.writer.readQuestion(answer);
    const problem = questionProblem(text, passage, exampleStems(promptSet, "question"), filters);
    if (problem) {
      reason = problem;
      continue;
    }
    const vector = (await embedWhole(input.embedder, [text], input.signal)).vectors[0]!;
    if (!input.earlier.some((other) => cosine(other, vector) > filters.maxQuestionSimilarity))
      return found({ text, vector });
    reason = "question_duplicate";
  }
  return filtered(reason);
}

/** Null when the question can be used. `stemsOfExamples` are content words that only the prompt's examples put into its head. */
export function questionProblem(
  question: string,
  passage: string,
  stemsOfExamples: Set<string>,
  filters: Pick<Filters, "minQuestionOverlap">,
): FilterReason | null {
  if (!/^[^?]+\?$/.test(question) || !/^["“]?\p{L}/u.test(question) || words(question).length > 30)
    return "question_form";
  const stems = contentWords(question);
  if (new Set(stems).size < MIN_CONTENT_WORDS) return "question_too_short";
  if (REFERS_TO_TEXT.test(question) || IS_ABOUT_A_FIGURE.test(question)) return "question_refers_to_text";
  if (repetitionShare(question, 3) > 0 || stutters(question) || repeatsWords(question))
    return "question_repeats_itself";
  if (copiesExamples(question, passage, stemsOfExamples)) return "question_copied_from_prompt";
  if (inventedFacts(question, passage).length > 0) return "question_invented_facts";
  return overlapShare(question, passage) < filters.minQuestionOverlap ? "question_off_topic" : null;
}

/** "How does the curve change from 2000 K to 2000 K?" */
function repeatsWords(question: string): boolean {
  const counts = new Map<string, number>();
  for (const word of [...contentWords(question), ...words(question).filter((token) => /^\d/.test(token))]) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].some(([word, n]) => n > (/^\d/.test(word) ? 1 : 2));
}

const IS_ABOUT_A_FIGURE =
  /\b(?:curves?|diagrams?|plots?|images?|panels?|histograms?|micrographs?|graphs?|(?:dotted|dashed|solid|red|blue|green|black) (?:lines?|symbols?|dots?))\b/i;
