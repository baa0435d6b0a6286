import { z } from "zod";

/** The plain-text marks around the parts of a response. Kept with a model; never new vocabulary. */
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
