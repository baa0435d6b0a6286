import {
  inventedFacts,
  isNegated,
  jaccard,
  looksEnglish,
  overlapShare,
  repetitionShare,
  stutters,
  words,
} from "../lib/text.ts";
import { copiesExamples, REFERS_TO_TEXT } from "../preference/index.ts";

const MAX_WORDS = 45;
const SAME = 0.8;

/** Whether a statement of the thinking may stand: whole, faithful to its source, and new. */
export function isGoodStatement(
  statement: string,
  input: { source: string; earlier: string[]; minOverlap: number; exampleStems: Set<string>; isRewrite: boolean },
): boolean {
  const nWords = words(statement).length;
  if (nWords < 5 || nWords > MAX_WORDS || !/[.!]$/.test(statement)) return false;
  if (REFERS_TO_TEXT.test(statement) || /^(?:it|this|these|they)\b/i.test(statement) || !looksEnglish(statement))
    return false;
  if (repetitionShare(statement, 3) > 0 || stutters(statement) || inventedFacts(statement, input.source).length > 0)
    return false;
  // "does not dissolve" must not become "dissolves"
  if (input.isRewrite && isNegated(statement) !== isNegated(input.source)) return false;
  if (copiesExamples(statement, input.source, input.exampleStems)) return false;
  if (overlapShare(statement, input.source) < input.minOverlap) return false;
  return !input.earlier.some((other) => jaccard(other, statement) >= SAME);
}
