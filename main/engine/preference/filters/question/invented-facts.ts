import { inventedFacts } from "../../../lib/text.ts";
import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

export const questionInventedFacts: Filter<QuestionDraft> = {
  reason: "question_invented_facts",
  refuses: ({ question, passage }) => inventedFacts(question, passage).length > 0,
};
