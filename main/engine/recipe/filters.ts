import { z } from "zod";

const Share = z.number().min(0).max(1);

/** Every filter of pair generation by its name, with its numbers (preference/filters says what each looks for). */
export const Filters = z.strictObject({
  /** Whole, self-contained sentences that a source chunk must have. */
  minSourceSentences: z.int().min(1).default(3),
  /** Sentences among them that name a cause, an effect or a purpose. */
  minExplainingSentences: z.int().min(0).default(0),
  /** Cosine to an earlier question above which a question counts as the same. */
  maxQuestionSimilarity: Share.default(0.9),
  /** Share of the question's content words that its passage must have. */
  minQuestionOverlap: Share.default(0.6),
  /** Share of a rewritten sentence's content words that the sentence must have. */
  minStepOverlap: Share.default(0.75),
  /** Share of a completed line's content words that steps and question must have. */
  minLineOverlap: Share.default(0.6),
  /** Share of the answer's content words that question, thinking or sources must have. */
  minAnswerOverlap: Share.default(0.5),
  /** Share of the content words that the answer adds to the question that thinking or sources must have. */
  minAnswerGrounding: Share.default(0.3),
  minAnswerWords: z.int().min(1).default(8),
  /** Different content words of the answer that the question does not have. */
  minNewAnswerWords: z.int().min(0).default(4),
  /** Longest run of words that an answer may share with the corpus. */
  maxCopiedWords: z.int().min(4).default(30),
  /** Share of repeated 4-grams in the answer. */
  maxRepetition: Share.default(0.1),
  /** The same in the rejected response, which may be worse but must not be a loop. */
  maxRejectedRepetition: Share.default(0.3),
  /** Cosine above which chosen and rejected say the same, and a pair carries no signal. */
  maxPairSimilarity: Share.default(0.97),
});
export type Filters = z.infer<typeof Filters>;
