import type { PairProblem } from "../../shared/contract/training.ts";
import { AppError } from "../../shared/errors.ts";

/** Kinds in the words of their sentences. Dropped pairs are not trained on; the others are, otherwise than asked. */
const KINDS = {
  prompt_too_long: { isDropped: true, what: "the prompt alone has max_length tokens or more" },
  template_refuses: { isDropped: true, what: "the model's chat template does not take the conversation" },
  thinking_unclosed: { isDropped: true, what: "a response's thinking never ends, so that nothing tells its answer" },
  answer_missing: { isDropped: true, what: "a response has nothing behind its thinking that could carry loss" },
  chosen_without_thinking: {
    isDropped: false,
    what: "the mask found no thinking in chosen, all its tokens carry loss",
  },
  rejected_without_thinking: {
    isDropped: false,
    what: "the mask found no thinking in rejected, all its tokens carry loss",
  },
  other_markers: { isDropped: false, what: "the pair is written with another marker set than most" },
  tokens_without_mask: {
    isDropped: false,
    what: "the pair is token ids without a mask of its own, all its tokens carry loss",
  },
} as const;
export type PairProblemKind = keyof typeof KINDS;

/** Counts problems by kind over all pairs of a selection, and makes the sentences. */
export function createPairProblems(of: number) {
  const ids = new Map<PairProblemKind, string[]>();
  return {
    add(kind: PairProblemKind, id: string): void {
      ids.set(kind, [...(ids.get(kind) ?? []), id]);
    },
    list: (details: Partial<Record<PairProblemKind, string>> = {}): PairProblem[] =>
      [...ids].map(([kind, found]) => {
        const { isDropped, what } = KINDS[kind];
        const detail = details[kind] === undefined ? "" : ` (${details[kind]})`;
        const verb = isDropped ? " dropped" : "";
        const message = `${found.length} of ${of} pairs${verb}: ${what}${detail}. ${examples(found)}`;
        return { kind, n: found.length, of, isDropped, message };
      }),
  };
}

function examples(ids: readonly string[]): string {
  const shown = ids.slice(0, 3).join(", ");
  return ids.length === 1 ? `It is ${shown}.` : `They are ${shown}${ids.length > 3 ? ", …" : ""}.`;
}

/** Errors: VALIDATION_FAILED when nothing is left to train on. */
export function refuseIfNoneLeft(nPairs: number, problems: readonly PairProblem[]): void {
  if (nPairs > 0) return;
  const why = problems.filter(({ isDropped }) => isDropped).map(({ message }) => message);
  throw new AppError("VALIDATION_FAILED", `None of the pairs can be trained on. ${why.join(" ")}`, {
    hint: "Put these pairs right, use a larger max_length, or choose another mask.",
    details: { pairProblems: problems },
  });
}
