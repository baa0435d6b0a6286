import { changedShare, changesBetween } from "../../shared/change-counts.ts";
import type { IterationMetrics } from "../../shared/contract/reflection.ts";
import { repetitionShare, words } from "../lib/text.ts";
import type { Similarity } from "./similarity.ts";

type Response = { thinking: string; answer: string };

/** What can be measured of an iteration without a judge, compared with the one before. */
export async function measureIteration(
  current: Response,
  previous: Response | null,
  similarity: Similarity,
): Promise<IterationMetrics> {
  const own = {
    nThinkingWords: words(current.thinking).length,
    nAnswerWords: words(current.answer).length,
    repetition: repetitionShare(current.answer),
  };
  if (previous === null) return { thinkingSimilarity: null, answerSimilarity: null, changedShare: null, ...own };
  const cosine = await similarity([current.thinking, current.answer, previous.thinking, previous.answer]);
  return {
    thinkingSimilarity: cosine(current.thinking, previous.thinking),
    answerSimilarity: cosine(current.answer, previous.answer),
    changedShare: changedShare(changesBetween(previous, current)),
    ...own,
  };
}
