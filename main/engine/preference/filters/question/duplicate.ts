import { cosine } from "../../similarity.ts";
import type { Filter } from "../filter.ts";
import type { AskedBefore } from "../subjects.ts";

export const questionDuplicate: Filter<AskedBefore> = {
  reason: "question_duplicate",
  numbers: ["maxQuestionSimilarity"],
  refuses: ({ vector, earlier, filters }) =>
    earlier.some((other) => cosine(other, vector) > filters.maxQuestionSimilarity),
};
