import type { MarkerSet } from "../../../shared/markers.ts";
import type { ChatMessage, EncodedPair, ModelRunner } from "../../inference/index.ts";
import type { Mask } from "../../../shared/mask.ts";
import { findThinking, type ThinkingPlaces } from "./find-thinking.ts";
import { responseMask, tokenPosition } from "./mask.ts";

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
  const places = { chosen: findThinking(chosen, markers), rejected: findThinking(rejected, markers) };
  const wanted = { chosen: placesIn(places.chosen, mask), rejected: placesIn(places.rejected, mask) };
  const tokens = { chosen: new Map<number, number>(), rejected: new Map<number, number>() };
  for (let i = 0; i < Math.max(wanted.chosen.length, wanted.rejected.length); i++) {
    const [inChosen, inRejected] = [wanted.chosen[i], wanted.rejected[i]];
    // a side that has no more places is encoded whole and left aside
    const prefix = await encode({ chosen: chosen.slice(0, inChosen), rejected: rejected.slice(0, inRejected) });
    if (inChosen !== undefined) tokens.chosen.set(inChosen, positionOf(whole, prefix, "chosen"));
    if (inRejected !== undefined) tokens.rejected.set(inRejected, positionOf(whole, prefix, "rejected"));
  }
  return {
    ...whole,
    chosen_mask: responseMask(whole.chosen.length, mask, inTokens(places.chosen, tokens.chosen), seed),
    rejected_mask: responseMask(whole.rejected.length, mask, inTokens(places.rejected, tokens.rejected), seed + 1),
  };
}

/** The places of the text that the mask depends on. */
function placesIn({ thinking, answerStart }: ThinkingPlaces, mask: Mask): number[] {
  if (mask === "none") return [];
  if (mask === "answer_only") return answerStart === 0 ? [] : [answerStart];
  return thinking.flatMap(({ start, end }) => [start, end]);
}

function inTokens({ thinking, answerStart }: ThinkingPlaces, tokens: Map<number, number>) {
  const at = (place: number) => tokens.get(place) ?? 0;
  return {
    thinking: thinking.map(({ start, end }) => ({ start: at(start), end: at(end) })),
    answerStart: at(answerStart),
  };
}

/** Prompt and response are tokenised as one, so the boundary is compared over both; the end-of-turn token is left out. */
function positionOf(whole: EncodedPair, prefix: EncodedPair, side: "chosen" | "rejected"): number {
  const ids = [...whole.prompt, ...whole[side]];
  return Math.max(0, tokenPosition(ids, [...prefix.prompt, ...prefix[side].slice(0, -1)]) - whole.prompt.length);
}
