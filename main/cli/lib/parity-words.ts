import type { ParityMeasurement, ParityReport } from "../../shared/contract/model.ts";

/** One sentence for each measurement of a parity report: what was trained, what is seen, and what rounding hides. */
export function parityInWords({ measurements }: ParityReport): string[] {
  return measurements.map((measurement) => {
    const { weights, nTokens, changeTrained, changeSeen, noise, share, uncertainty } = measurement;
    const where = weights === "as_is" ? "On the base model as it is" : "On the same weights in F32";
    const seen = share === null ? "" : `, ${percent(share)} ± ${percent(uncertainty)} of it`;
    return `${where}: the training changed a token's log-prob by ${decimals(changeTrained)}, llama.cpp shows ${decimals(changeSeen)}${seen}; rounding alone makes ${decimals(noise)} (root mean squares over ${nTokens} tokens).`;
  });
}

export function parityVerdict(verdict: ParityReport["verdict"]): string {
  return { passed: "passed", failed: "failed", not_provable: "not provable" }[verdict];
}

export const weightsInWords = ({ weights }: ParityMeasurement) => (weights === "as_is" ? "as they are" : "in F32");

export function percent(share: number | null): string {
  return share === null ? "?" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

export function decimals(value: number | null): string {
  if (value === null) return "?";
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toFixed(4);
}
