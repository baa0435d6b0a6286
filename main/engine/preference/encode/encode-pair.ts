import type { MarkerSet } from "../../../shared/markers.ts";
import type { ChatMessage, EncodedPair, ModelRunner } from "../../inference/index.ts";
import { findThinking, responseMask, type ThinkingSpan, tokenPosition } from "./mask.ts";
import type { Mask } from "../../recipe/index.ts";

export type MaskedPair = EncodedPair & { chosen_mask: (0 | 1)[]; rejected_mask: (0 | 1)[] };

/** A pair as token ids with its masks, in the trainer's own words. */
export async function encodeMaskedPair(
  runner: ModelRunner,
  input: {
    modelPath: string;
    messages: ChatMessage[];
    chosen: string;
    rejected: string;
    markers: MarkerSet;
    mask: Mask;
    /** Decides which tokens a fraction takes. */
    seed: number;
  },
  signal?: AbortSignal,
): Promise<MaskedPair> {
  const { modelPath, messages, chosen, rejected, markers, mask, seed } = input;
  const encode = (texts: { chosen: string; rejected: string }) =>
    runner.encodePair({ modelPath, messages, ...texts }, signal);
  const whole = await encode({ chosen, rejected });
  const chosenSpan = findThinking(chosen, markers);
  const rejectedSpan = findThinking(rejected, markers);
  if (mask === "none" || (!chosenSpan && !rejectedSpan)) return { ...whole, ...masks(whole, mask, null, null, seed) };

  const chosenAt: Partial<ThinkingSpan> = {};
  const rejectedAt: Partial<ThinkingSpan> = {};
  for (const place of ["start", "end", "answerStart"] as const) {
    // a side without thinking is encoded whole and left aside
    const texts = { chosen: chosen.slice(0, chosenSpan?.[place]), rejected: rejected.slice(0, rejectedSpan?.[place]) };
    const prefix = await encode(texts);
    chosenAt[place] = positionOf(whole, prefix, "chosen");
    rejectedAt[place] = positionOf(whole, prefix, "rejected");
  }
  // all three places are set by the loop
  const tokenSpans = [chosenSpan && (chosenAt as ThinkingSpan), rejectedSpan && (rejectedAt as ThinkingSpan)] as const;
  return { ...whole, ...masks(whole, mask, ...tokenSpans, seed) };
}

function masks(
  pair: EncodedPair,
  mask: Mask,
  chosenSpan: ThinkingSpan | null,
  rejectedSpan: ThinkingSpan | null,
  seed: number,
): Pick<MaskedPair, "chosen_mask" | "rejected_mask"> {
  return {
    chosen_mask: responseMask(pair.chosen.length, mask, chosenSpan, seed),
    rejected_mask: responseMask(pair.rejected.length, mask, rejectedSpan, seed + 1),
  };
}

/** Prompt and response are tokenised as one, so the boundary is compared over both; the end-of-turn token is left out. */
function positionOf(whole: EncodedPair, prefix: EncodedPair, side: "chosen" | "rejected"): number {
  const ids = [...whole.prompt, ...whole[side]];
  return Math.max(0, tokenPosition(ids, [...prefix.prompt, ...prefix[side].slice(0, -1)]) - whole.prompt.length);
}
