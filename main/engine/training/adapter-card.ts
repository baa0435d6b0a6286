import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { MarkerSet } from "../../shared/markers.ts";
import { writeFileAtomic } from "../lib/files.ts";

const ProbeScore = z.strictObject({
  id: z.string(),
  chosenLogps: z.array(z.number()),
  rejectedLogps: z.array(z.number()),
  baseChosenLogps: z.array(z.number()),
  baseRejectedLogps: z.array(z.number()),
});
/** The trainer's own log-probs of every response token of one probe pair, with the adapter and of the base model. */
export type ProbeScore = z.infer<typeof ProbeScore>;

/** What an adapter file is, kept beside it: enough to know the file again and to repeat its making. */
export const AdapterCard = z.looseObject({
  sha256: z.string(),
  runId: z.string(),
  stage: z.string(),
  /** Cards of version 0.1.0 have neither: their stage was called after its loss. */
  stageIndex: z.int().optional(),
  loss: z.string().optional(),
  round: z.int(),
  /** What stands around the thinking in the pairs; cards of version 0.1.0 do not say. */
  markers: MarkerSet.nullish(),
  model: z.strictObject({ name: z.string(), sha256: z.string() }),
  config: z.record(z.string(), z.unknown()),
  probe: z.array(ProbeScore),
});
export type AdapterCard = z.infer<typeof AdapterCard>;

/** The card, or undefined when the adapter has none. Errors: ADAPTER_INVALID for one that does not parse. */
export function readCard(path: string): AdapterCard | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return AdapterCard.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new AppError("ADAPTER_INVALID", `The adapter's card ${path} cannot be read`, {
      hint: "Put the card back that was written with the adapter, or delete it to check the adapter as a foreign one.",
      cause,
    });
  }
}

export function writeCard(path: string, card: AdapterCard): Promise<void> {
  return writeFileAtomic(path, `${JSON.stringify(card, null, 2)}\n`);
}
