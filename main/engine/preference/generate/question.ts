import type { FilterReason } from "../../../shared/filter-reasons.ts";
import { type Ask, nTries, type PromptSet } from "../../asking/index.ts";
import { type Embedder, embedWhole } from "../../embedding/index.ts";
import type { Recipe } from "../../recipe/index.ts";
import { refusalOf } from "../filters/filter.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import { filterRegistry } from "../filters/registry.ts";
import { exampleStems } from "../filters/wording.ts";
import type { Vector } from "../similarity.ts";
import type { PairWriter } from "./pair-writer.ts";

export type Question = { text: string; vector: Vector };

/** One question that the passage answers: tried until one passes every filter, else the last reason. */
export async function writeQuestion(input: {
  ask: Ask;
  promptSet: PromptSet;
  writer: PairWriter;
  embedder: Embedder;
  passage: string;
  recipe: Recipe;
  /** Vectors of the questions asked before. */
  earlier: Vector[];
  signal: AbortSignal;
}): Promise<Outcome<Question>> {
  const { ask, promptSet, passage } = input;
  const { filters, language } = input.recipe;
  const rest = { passage, exampleStems: exampleStems(promptSet, "question"), filters };
  let reason: FilterReason = "question_form";
  let refused = "";
  for (let attempt = 0; attempt < nTries(promptSet, "question"); attempt++) {
    const question = input.writer.readQuestion(await ask("question", { text: passage }, { attempt }));
    refused = question;
    const problem = refusalOf(filterRegistry.question, { question, ...rest }, language);
    if (problem) {
      reason = problem;
      continue;
    }
    const vector = (await embedWhole(input.embedder, [question], input.signal)).vectors[0]!;
    const repeats = refusalOf(filterRegistry.askedBefore, { vector, earlier: input.earlier, filters }, language);
    if (!repeats) return found({ text: question, vector });
    reason = repeats;
  }
  return filtered(reason, refused);
}
