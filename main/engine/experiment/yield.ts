import type { RoundYield } from "../../shared/contract/job-types.ts";
import { stageTitle } from "../../shared/loss.ts";
import { AppError } from "../../shared/errors.ts";

/**
 * [Note: a round under its yield] A round ends when it has its pairs, or has used up its attempts. With at least
 * `minPairsShare` of its pairs it is trained on what it has. With fewer it is passed over: its pairs stay in the ledger,
 * the adapter stays as it was, the next round asks it again. With none at all the run fails, since the next round would
 * ask the same models for the same; and so does a stage of which no round could be trained on.
 */
export function isEnough({ nAsked, nAccepted }: RoundYield, minPairsShare: number): boolean {
  return nAccepted >= Math.max(1, Math.ceil(minPairsShare * nAsked));
}

type Round = { stage: string; loss: string; round: number; pairs: RoundYield; run: unknown };

/** A line about a round that fell short; null for one that did not. */
export function shortfallInWords(round: Round): string | null {
  const { nAsked, nAccepted, nAttempts } = round.pairs;
  if (!(nAccepted < nAsked)) return null;
  const outcome = round.run === null ? "it was passed over" : "it was trained on them";
  return `${stageTitle(round)} round ${round.round + 1} came to ${nAccepted} of ${nAsked} pairs in ${nAttempts} attempts (${reasonsOf([round.pairs])}): ${outcome}`;
}

export function stageCameToNothing(rounds: readonly Round[], minPairsShare: number): AppError {
  const [first] = rounds;
  if (!first) throw new Error("a stage has at least one round");
  const yields = rounds.map((round) => round.pairs);
  const sum = (count: (one: RoundYield) => number) => yields.reduce((total, one) => total + count(one), 0);
  const counts = `${sum((one) => one.nAccepted)} of ${sum((one) => one.nAsked)} pairs in ${sum((one) => one.nAttempts)} attempts`;
  return new AppError(
    "GENERATION_FAILED",
    `No round of ${stageTitle(first)} came to ${Math.round(minPairsShare * 100)} % of its pairs: ${counts} (${reasonsOf(yields)})`,
    {
      hint: "Add papers, use a larger teacher, relax the filter that is named most often, or lower minPairsShare in the recipe.",
      details: { rounds: yields },
    },
  );
}

function reasonsOf(yields: readonly RoundYield[]): string {
  const counts = new Map<string, number>();
  for (const { filterCounts } of yields)
    for (const [reason, n] of Object.entries(filterCounts)) counts.set(reason, (counts.get(reason) ?? 0) + n);
  const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([reason, n]) => `${reason} × ${n}`).join(", ");
}
