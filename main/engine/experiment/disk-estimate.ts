import type { Recipe } from "../recipe/index.ts";
import { CHECKPOINT_ADAPTERS } from "../training/index.ts";

/** What a run of the recipe takes of the disk: at most while it goes on, and in the end. */
export type DiskEstimate = { runningBytes: number; keptBytes: number };

/**
 * In adapters of this size: those that are kept, and while it goes on the checkpoint of the round before, a new
 * checkpoint that takes the place of an old one, the adapter that a round starts from, the one that it is compared with,
 * and the one that it writes, beside the trainer's own copy. [Note: what a run keeps]
 */
export function estimateDisk({ stages, keep }: Pick<Recipe, "stages" | "keep">, adapterBytes: number): DiskEstimate {
  const nRounds = stages.reduce((sum, { rounds }) => sum + rounds, 0);
  const nKept = { last: 1, stages: stages.length, all: nRounds }[keep];
  const nWhileRunning = 3 * CHECKPOINT_ADAPTERS + 4;
  return { runningBytes: (nKept + nWhileRunning) * adapterBytes, keptBytes: nKept * adapterBytes };
}
