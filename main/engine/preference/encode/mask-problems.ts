import type { MarkerSet } from "../../../shared/markers.ts";
import type { Mask } from "../../../shared/mask.ts";
import { findThinking, type ThinkingPlaces } from "./find-thinking.ts";

/** What keeps a mask from doing what its kind says, on the responses of one pair. */
export type MaskProblem =
  | "thinking_unclosed"
  | "answer_missing"
  | "chosen_without_thinking"
  | "rejected_without_thinking";

/** Pairs with these cannot be trained: thinking would carry the loss of an answer. */
const DROPPING: ReadonlySet<MaskProblem> = new Set(["thinking_unclosed", "answer_missing"]);
export const isDropping = (problem: MaskProblem): boolean => DROPPING.has(problem);

/**
 * A rejected response without markers counts whole as answer (METHOD §4), so under answer_only that is none. A chosen
 * response whose thinking never ends is refused whatever the mask: it would teach to think for ever.
 */
export function maskProblems(
  pair: { chosen: string; rejected: string; markers: MarkerSet },
  mask: Mask,
): MaskProblem[] {
  const chosen = findThinking(pair.chosen, pair.markers);
  const rejected = findThinking(pair.rejected, pair.markers);
  if (!chosen.isClosed || (mask !== "none" && !rejected.isClosed)) return ["thinking_unclosed"];
  if (mask === "none") return [];
  if (mask === "answer_only") {
    if (isAnswerless(chosen, pair.chosen) || isAnswerless(rejected, pair.rejected)) return ["answer_missing"];
    return chosen.answerStart === 0 ? ["chosen_without_thinking"] : [];
  }
  if (mask.thinking_fraction === 0) return [];
  if (chosen.thinking.length === 0) return ["chosen_without_thinking"];
  return rejected.thinking.length === 0 ? ["rejected_without_thinking"] : [];
}

function isAnswerless({ answerStart }: ThinkingPlaces, text: string): boolean {
  return text.slice(answerStart).trim() === "";
}
