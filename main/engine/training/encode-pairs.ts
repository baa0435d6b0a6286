import type { PairProblem } from "../../shared/contract/training.ts";
import { seedOf } from "../lib/random.ts";
import { encodeMaskedPair, isDropping, maskProblems, type TokenPair } from "../preference/index.ts";
import type { Mask } from "../../shared/mask.ts";
import type { TrainingDeps } from "./deps.ts";
import { createPairProblems, refuseIfNoneLeft } from "./pair-problems.ts";
import type { SelectedPair } from "./select-pairs.ts";

export type EncodedPairs = { lines: (TokenPair & { id: string })[]; problems: PairProblem[] };

/**
 * The lines of a run's pairs.jsonl, and what of the pairs cannot be used as asked. Pairs that are ids already keep the
 * masks that they came with. Errors: VALIDATION_FAILED when no pair is left.
 */
export async function encodePairs(
  deps: Pick<TrainingDeps, "runner">,
  input: { modelPath: string; pairs: readonly SelectedPair[]; mask: Mask; maxLength: number },
  signal: AbortSignal,
): Promise<EncodedPairs> {
  const { modelPath, pairs, mask, maxLength } = input;
  const problems = createPairProblems(pairs.length);
  const lines: EncodedPairs["lines"] = [];
  for (const pair of pairs) {
    signal.throwIfAborted();
    const tokens = await encode(pair);
    if (!tokens) continue;
    if (tokens.prompt.length >= maxLength) problems.add("prompt_too_long", pair.id);
    else lines.push({ id: pair.id, ...tokens });
  }
  const found = problems.list({ prompt_too_long: `max_length is ${maxLength}` });
  refuseIfNoneLeft(lines.length, found);
  return { lines, problems: found };

  async function encode(pair: SelectedPair): Promise<TokenPair | null> {
    if (pair.kind === "ids") {
      const isWhole = !pair.tokens.chosen_mask && !pair.tokens.rejected_mask;
      if (mask !== "none" && isWhole) problems.add("tokens_without_mask", pair.id);
      return pair.tokens;
    }
    const { id, messages, chosen, rejected, markers } = pair;
    const found = maskProblems(pair, mask);
    for (const problem of found) problems.add(problem, id);
    if (found.some(isDropping)) return null;
    const text = { modelPath, messages, chosen, rejected, markers, mask, seed: seedOf(id, "mask") };
    return await encodeMaskedPair(deps.runner, text, signal);
  }
}
