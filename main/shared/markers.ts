import { z } from "zod";

/** The plain-text marks around the parts of a response. Kept with a pair, a model and an adapter; never new vocabulary. */
export const MarkerSet = z.strictObject({
  thinkingOpen: z.string().min(1),
  thinkingClose: z.string().min(1),
  reflectOpen: z.string().min(1),
  reflectClose: z.string().min(1),
});
export type MarkerSet = z.infer<typeof MarkerSet>;

export const DEFAULT_MARKERS: MarkerSet = {
  thinkingOpen: "<|thinking|>",
  thinkingClose: "<|/thinking|>",
  reflectOpen: "<|reflect|>",
  reflectClose: "<|/reflect|>",
};

/** Marks that open and close one block of text. */
export type MarkerPair = { open: string; close: string };

/** What reasoning models write around their own thinking: Qwen3 and DeepSeek-R1, Magistral, Kimi, Seed, and others. */
export const OWN_THINKING: readonly MarkerPair[] = [
  { open: "<think>", close: "</think>" },
  { open: "[THINK]", close: "[/THINK]" },
  { open: "<thinking>", close: "</thinking>" },
  { open: "<thought>", close: "</thought>" },
  { open: "◁think▷", close: "◁/think▷" },
  { open: "<seed:think>", close: "</seed:think>" },
  { open: "<|begin_of_thought|>", close: "<|end_of_thought|>" },
];

/** The set that a response of unknown origin was written with: the default one, or that of the kind that stands in it. */
export function markersIn(text: string): MarkerSet {
  if (text.includes(DEFAULT_MARKERS.thinkingClose) || text.includes(DEFAULT_MARKERS.thinkingOpen))
    return DEFAULT_MARKERS;
  const own = OWN_THINKING.find(({ open, close }) => text.includes(open) || text.includes(close));
  return own ? { ...DEFAULT_MARKERS, thinkingOpen: own.open, thinkingClose: own.close } : DEFAULT_MARKERS;
}
