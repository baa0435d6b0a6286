import type { PairProblem } from "../../shared/contract/training.ts";
import { isAppError } from "../../shared/errors.ts";
import type { MarkerSet } from "../../shared/markers.ts";
import { seedOf } from "../lib/random.ts";
import { encodeMaskedPair, isDropping, maskProblems, type TokenPair } from "../preference/index.ts";
import type { Mask } from "../../shared/mask.ts";
import type { TrainingDeps } from "./deps.ts";
import { createPairProblems, refuseIfNoneLeft } from "./pair-problems.ts";
import type { SelectedPair, TextPair } from "./select-pairs.ts";

export type EncodedPairs = {
  lines: (TokenPair & { id: string })[];
  problems: PairProblem[];
  /** What most pairs are written with; null for token ids alone. */
  markers: MarkerSet | null;
};

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
  let refusal = "";
  const lines: EncodedPairs["lines"] = [];
  const texts = pairs.filter((pair) => pair.kind === "text");
  const markers = mostFrequent(texts.filter(usesMarkers).map((pair) => pair.markers)) ?? texts[0]?.markers ?? null;
  for (const pair of pairs) {
    signal.throwIfAborted();
    const tokens = await encode(pair);
    if (!tokens) continue;
    if (tokens.prompt.length >= maxLength) problems.add("prompt_too_long", pair.id);
    else lines.push({ id: pair.id, ...tokens });
  }
  const found = problems.list({ prompt_too_long: `max_length is ${maxLength}`, template_refuses: refusal });
  refuseIfNoneLeft(lines.length, found);
  return { lines, problems: found, markers };

  async function encode(pair: SelectedPair): Promise<TokenPair | null> {
    if (pair.kind === "ids") {
      const isWhole = !pair.tokens.chosen_mask && !pair.tokens.rejected_mask;
      if (mask !== "none" && isWhole) problems.add("tokens_without_mask", pair.id);
      return pair.tokens;
    }
    const { id, messages, chosen, rejected } = pair;
    if (usesMarkers(pair) && !isSameSet(markers, pair.markers)) problems.add("other_markers", id);
    const found = maskProblems(pair, mask);
    for (const problem of found) problems.add(problem, id);
    if (found.some(isDropping)) return null;
    const text = { modelPath, messages, chosen, rejected, markers: pair.markers, mask, seed: seedOf(id, "mask") };
    try {
      return await encodeMaskedPair(deps.runner, text, signal);
    } catch (error) {
      // a template that knows no system role, say, refuses some conversations; one question alone it must take
      if (messages.length === 1 || !isAppError(error, "MODEL_INCOMPATIBLE")) throw error;
      problems.add("template_refuses", id);
      refusal = error.message;
      return null;
    }
  }
}

function usesMarkers({ chosen, markers }: TextPair): boolean {
  return chosen.includes(markers.thinkingOpen) || chosen.includes(markers.thinkingClose);
}

function mostFrequent(sets: readonly MarkerSet[]): MarkerSet | null {
  const counts = new Map<string, number>();
  for (const set of sets) counts.set(keyOf(set), (counts.get(keyOf(set)) ?? 0) + 1);
  const [key] = [...counts].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  return sets.find((set) => keyOf(set) === key) ?? null;
}

function isSameSet(a: MarkerSet | null, b: MarkerSet | null): boolean {
  return a !== null && b !== null && keyOf(a) === keyOf(b);
}

function keyOf({ thinkingOpen, thinkingClose, reflectOpen, reflectClose }: MarkerSet): string {
  return JSON.stringify([thinkingOpen, thinkingClose, reflectOpen, reflectClose]);
}
