import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import type { MarkerSet } from "../../../shared/markers.ts";
import type { Filters, Section } from "../../recipe/index.ts";
import type { Vector } from "../similarity.ts";

/** What the filters of each step are given to judge. */

export type QuestionDraft = {
  question: string;
  passage: string;
  /** Content words that only the prompt's examples put into a model's head. */
  exampleStems: Set<string>;
  filters: Pick<Filters, "minQuestionOverlap">;
};

export type AskedBefore = { vector: Vector; earlier: Vector[]; filters: Pick<Filters, "maxQuestionSimilarity"> };

export type ThinkingDraft = { sections: ThinkingSection[]; wanted: readonly Section[] };

export type AnswerDraft = {
  answer: string;
  question: string;
  /** Thinking and context: what the answer may rest on. */
  grounds: string;
  context: readonly string[];
  exampleStems: Set<string>;
  markers: MarkerSet;
  filters: Filters;
};

export type RejectedDraft = {
  response: string;
  /** The response without its thinking. */
  answer: string;
  /** All that the policy was shown, question and instruction. */
  prompt: string;
  /** The policy's thinking has no end, where a mask or the answer needs one. */
  isUnclosed: boolean;
  filters: Pick<Filters, "maxRejectedRepetition">;
};

/** Chosen and rejected answers compared. */
export type Signal = { similarity: number; filters: Pick<Filters, "maxPairSimilarity"> };

export type PairLength = { nTokens: number; maxLength: number };
