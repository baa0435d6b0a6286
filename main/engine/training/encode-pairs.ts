import { DEFAULT_MARKERS } from "../../shared/markers.ts";
import { seedOf } from "../lib/random.ts";
import { encodeMaskedPair } from "../preference/index.ts";
import type { Mask } from "../recipe/index.ts";
import type { TrainingDeps } from "./deps.ts";
import type { SelectedPair } from "./select-pairs.ts";

/** The lines of a run's pairs.jsonl. Pairs that are ids already pass as they are: the trainer checks them itself. */
export async function encodePairs(
  deps: TrainingDeps,
  modelPath: string,
  pairs: readonly SelectedPair[],
  mask: Mask,
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  const lines: Record<string, unknown>[] = [];
  for (const pair of pairs) {
    signal.throwIfAborted();
    if (pair.kind === "ids") {
      lines.push(pair.line);
      continue;
    }
    const { id, messages, chosen, rejected } = pair;
    const markers = DEFAULT_MARKERS;
    const input = { modelPath, messages, chosen, rejected, markers, mask, seed: seedOf(id, "mask") };
    lines.push({ id, ...(await encodeMaskedPair(deps.runner, input, signal)) });
  }
  return lines;
}
