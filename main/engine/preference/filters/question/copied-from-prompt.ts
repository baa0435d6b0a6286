import { copiesExamples } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

export const questionCopiedFromPrompt: Filter<QuestionDraft> = {
  reason: "question_copied_from_prompt",
  refuses: ({ question, passage, exampleStems }) => copiesExamples(question, passage, exampleStems),
};
