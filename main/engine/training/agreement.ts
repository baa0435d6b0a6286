import type { ParityMeasurement } from "../../shared/contract/model.ts";

/**
 * What two programs say of the same tokens: the change of each token's log-prob by the adapter as the trainer computes
 * it and as llama.cpp does, and by how much the two differ on the base model alone.
 */
export type TokenChanges = { trained: number[]; seen: number[]; baseDifference: number[] };

export type Agreement = Omit<ParityMeasurement, "weights">;

/** An uncertainty is this many standard errors, beyond which a good adapter falls once in ten thousand checks. */
const STANDARD_ERRORS = 4;
/**
 * How far the share may be from 1 beyond its uncertainty: a little, and more with more noise. Rounding to 8 bits does not
 * only blur but bends, since noise costs likely tokens more than unlikely ones (share 1.19 with noise as large as the
 * change, 1.03 with a seventh of it, for good adapters).
 */
const SHARE_TOLERANCE = 0.002;
const SHARE_TOLERANCE_PER_NOISE = 0.2;
/** When more than this would be allowed in all, an adapter that does half of what was trained could slip through. */
const LARGEST_ALLOWANCE = 0.3;
/** What may be left unexplained: in units of the noise (two roundings, of two models) and of the trained change. */
const UNEXPLAINED_PER_NOISE = 3;
const UNEXPLAINED_PER_CHANGE = 0.002;
/** A measurement is sharp when uncertainty, and noise in units of the change, are no more than this. */
const SHARP = 0.005;

/** The straight line through zero that best gives the seen changes from the trained ones, and what it leaves. */
export function measureAgreement({ trained, seen, baseDifference }: TokenChanges): Agreement {
  const power = sumOfProducts(trained, trained);
  const share = sumOfProducts(trained, seen) / power;
  const left = seen.map((change, i) => change - share * trained[i]!);
  const variance = sumOfProducts(left, left) / (left.length - 1);
  return {
    nTokens: trained.length,
    changeTrained: finite(rootMeanSquare(trained)),
    changeSeen: finite(rootMeanSquare(seen)),
    noise: finite(rootMeanSquare(baseDifference)),
    share: finite(share),
    uncertainty: finite(STANDARD_ERRORS * Math.sqrt(variance / power)),
    unexplained: finite(rootMeanSquare(left)),
  };
}

/** Whether the noise is so small that an adapter is seen in which a hundredth of the numbers are wrong. */
export function isSharp({ changeTrained, noise, uncertainty }: Agreement): boolean {
  if (changeTrained === null || noise === null || uncertainty === null) return false;
  return uncertainty <= SHARP && noise <= SHARP * changeTrained;
}

export type Judgement = { verdict: "passed" | "failed" | "not_provable"; reason: string | null };

export function judgeAgreement(agreement: Agreement): Judgement {
  const { changeTrained, changeSeen, noise, share, uncertainty, unexplained } = agreement;
  if (changeTrained === null || changeSeen === null || noise === null)
    return failed("Log-probs are not finite: the adapter holds damaged numbers.");
  if (share === null || uncertainty === null || unexplained === null) {
    const isIdle = changeSeen <= UNEXPLAINED_PER_NOISE * noise;
    return isIdle
      ? notProvable("The adapter was trained to change nothing, so that there is nothing to compare.")
      : failed(`The adapter was trained to change nothing, and changes log-probs by ${number(changeSeen)} per token.`);
  }
  if (changeSeen === 0)
    return failed(
      `With this file no log-prob changes at all; the training changed them by ${number(changeTrained)} per token.`,
    );
  const allowance = SHARE_TOLERANCE + (SHARE_TOLERANCE_PER_NOISE * noise) / changeTrained + uncertainty;
  if (Math.abs(share - 1) > allowance)
    return failed(
      `llama.cpp shows ${percent(share)} of the change that was trained (a whole adapter: within ${percent(allowance)} of 100 %): the file does not do what was trained.`,
    );
  const explained = UNEXPLAINED_PER_NOISE * noise + UNEXPLAINED_PER_CHANGE * changeTrained;
  if (unexplained > explained)
    return failed(
      `Token by token the change differs from the trained one by ${number(unexplained)}; rounding on this machine explains ${number(explained)}.`,
    );
  if (allowance > LARGEST_ALLOWANCE)
    return notProvable(
      `The training changed log-probs by ${number(changeTrained)} per token, rounding changes them by ${number(noise)}: that hides whether the file does all of it (seen: ${percent(share)} ± ${percent(uncertainty)}).`,
    );
  return { verdict: "passed", reason: null };
}

function failed(reason: string): Judgement {
  return { verdict: "failed", reason };
}

function notProvable(reason: string): Judgement {
  return { verdict: "not_provable", reason };
}

function sumOfProducts(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function rootMeanSquare(values: readonly number[]): number {
  return Math.sqrt(sumOfProducts(values, values) / values.length);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const number = (value: number) => value.toPrecision(2);
