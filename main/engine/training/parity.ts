import type { ParityMeasurement, ParityReport, ParityRow } from "../../shared/contract/model.ts";
import { isAppError } from "../../shared/errors.ts";
import { sha256OfFile } from "../lib/files.ts";
import { pairMessages } from "../preference/index.ts";
import { cardPathOf } from "../models/index.ts";
import { type AdapterCard, type ProbeScore, readCard } from "./adapter-card.ts";
import { isSharp, judgeAgreement, measureAgreement, type TokenChanges } from "./agreement.ts";
import type { TrainingDeps } from "./deps.ts";
import { withF32Base } from "./f32-base.ts";
import { type EncodedProbe, encodeProbes, type ProbePair, readProbes, scoreByTrainer } from "./probe-scores.ts";

/**
 * [Note: parity] An adapter is handed over only when it does to llama.cpp what it was trained to do. The trainer's
 * log-probs of a few probe pairs, which no training has seen, with the adapter and of the base model alone, are taken
 * when the adapter is written and kept in its card, so that a file that changed later is found out, too.
 *
 * Two programs never give the same log-prob: they round, each in its own way, and llama.cpp on every kind of processor
 * in another way. So effect is compared with effect, token by token: the change by the adapter in the trainer with the
 * change in llama.cpp, against the noise, which is the difference of the two on the base model alone, measured on the
 * same tokens in the same check. The share of the trained change that is seen has to be 1 within its uncertainty, and
 * what that leaves unexplained has to be noise (`agreement.ts`).
 *
 * Where the noise is large beside the change (quantised weights, a short training), the check is made once more on the
 * same weights in F32, on which only adding up rounds. Where they cannot be had and the noise hides whether the
 * adapter does all of it, the verdict is "not provable" and says so. See docs/decisions/006.
 */

/** The tokens that are compared are those that the adapter changes most, so many of each response. */
const TOKENS_PER_RESPONSE = 16;
const MAX_ANSWER_TOKENS = 200;

export type VerifyInput = { adapterPath: string; model: string; device?: string | undefined };
export type VerifyResult = { report: ParityReport; scores: ProbeScore[] };

type Binding = { modelPath: string; adapterPath: string };
/** The tokens of one response that are compared, with what the trainer says of them. */
type Response = {
  id: string;
  side: "chosen" | "rejected";
  ids: number[];
  /** Indices into `ids`, rising. */
  positions: number[];
  trainer: number[];
  trainerBase: number[];
};

export async function verifyAdapter(
  deps: TrainingDeps,
  input: VerifyInput,
  signal?: AbortSignal,
): Promise<VerifyResult> {
  const { adapterPath } = input;
  const model = await deps.models.resolveModel(input.model);
  const report: ParityReport = {
    verdict: "failed",
    reasons: [],
    measurements: [],
    endsWithEndOfTurn: null,
    rows: [],
    modelName: model.name,
    adapterPath,
    checkedAt: deps.clock(),
  };
  let scores: ProbeScore[] = [];
  try {
    const card = readCard(cardPathOf(adapterPath));
    if (card) report.reasons.push(...reasonsByCard(card, model.sha256, await sha256OfFile(adapterPath, signal)));
    const probes = readProbes(deps.resourcesDir);
    const encoded = await encodeProbes(deps, model.path, probes, signal);
    scores = card?.probe ?? (await scoreByTrainer(deps, model, input, encoded, signal));
    const responses = chooseTokens(encoded, scores);
    await measure(deps, report, { modelPath: model.path, adapterPath }, "as_is", responses, signal);
    if (report.measurements.some(canBeSharper))
      await measureOnF32(deps, report, { ...model, device: input.device }, responses, signal);
    conclude(report);
    if (report.verdict !== "failed")
      report.endsWithEndOfTurn = await endsItsTurn(deps, model.path, adapterPath, probes, signal);
  } catch (error) {
    if (signal?.aborted || !isUnreadableAdapter(error)) throw error;
    report.reasons.push(error.message);
  }
  return { report, scores };
}

/** What makes the adapter itself the culprit; anything else is a failure of the check and is thrown. */
function isUnreadableAdapter(error: unknown): error is Error {
  return isAppError(error, "ADAPTER_INVALID") || isAppError(error, "TRAINER_CONFIG");
}

function reasonsByCard(card: AdapterCard, modelSha256: string, adapterSha256: string): string[] {
  const reasons: string[] = [];
  if (card.sha256 !== adapterSha256)
    reasons.push("The file is not the one that the trainer wrote: its SHA-256 differs from the card's.");
  if (card.model.sha256 !== modelSha256)
    reasons.push(
      `It was trained on another model file (${card.model.name}, SHA-256 ${card.model.sha256.slice(0, 12)}…).`,
    );
  return reasons;
}

function chooseTokens(encoded: EncodedProbe[], scores: ProbeScore[]): Response[] {
  return encoded.flatMap(({ id, prompt, chosen, rejected }) => {
    const score = scores.find((entry) => entry.id === id);
    return [
      chooseOfResponse({ id, side: "chosen", prompt, response: chosen }, score?.chosenLogps, score?.baseChosenLogps),
      chooseOfResponse(
        { id, side: "rejected", prompt, response: rejected },
        score?.rejectedLogps,
        score?.baseRejectedLogps,
      ),
    ];
  });
}

function chooseOfResponse(
  { id, side, prompt, response }: { id: string; side: Response["side"]; prompt: number[]; response: number[] },
  logps: number[] = [],
  baseLogps: number[] = [],
): Response {
  // a score of another length is of other tokens: numbers that are not there make the verdict "not finite"
  const isOfThese = logps.length === response.length && baseLogps.length === response.length;
  const change = (i: number) => (isOfThese ? Math.abs(logps[i]! - baseLogps[i]!) : 0);
  const tokens = response
    .map((_, i) => i)
    .toSorted((a, b) => change(b) - change(a))
    .slice(0, TOKENS_PER_RESPONSE)
    .toSorted((a, b) => a - b);
  return {
    id,
    side,
    ids: [...prompt, ...response],
    positions: tokens.map((i) => prompt.length + i),
    trainer: tokens.map((i) => (isOfThese ? logps[i]! : Number.NaN)),
    trainerBase: tokens.map((i) => (isOfThese ? baseLogps[i]! : Number.NaN)),
  };
}

/** Adds a measurement to the report; its rows become those of this measurement. */
async function measure(
  deps: TrainingDeps,
  report: ParityReport,
  { modelPath, adapterPath }: Binding,
  weights: ParityMeasurement["weights"],
  responses: Response[],
  signal?: AbortSignal,
): Promise<void> {
  const sequences = responses.map(({ ids, positions }) => ({ ids, from: positions[0]!, positions }));
  const tuned = await deps.runner.logProbs({ modelPath, adapterPath, sequences }, signal);
  const base = await deps.runner.logProbs({ modelPath, adapterPath: null, sequences }, signal);
  const changes: TokenChanges = { trained: [], seen: [], baseDifference: [] };
  report.rows = responses.map((response, index) => {
    const [llama, llamaBase] = [tuned[index]!, base[index]!];
    changes.trained.push(...differences(response.trainer, response.trainerBase));
    changes.seen.push(...differences(llama, llamaBase));
    changes.baseDifference.push(...differences(llamaBase, response.trainerBase));
    return rowOf(response, llama);
  });
  report.measurements.push({ weights, ...measureAgreement(changes) });
}

function rowOf({ id, side, trainer }: Response, llama: number[]): ParityRow {
  const ofRow = differences(llama, trainer).map(Math.abs);
  return {
    id,
    side,
    nTokens: llama.length,
    trainerLogpSum: sum(trainer),
    llamaLogpSum: sum(llama),
    meanAbsDifference: sum(ofRow) / ofRow.length,
    maxAbsDifference: Math.max(...ofRow),
  };
}

/** One measurement more. That it cannot be made is no fault of the adapter: then what was measured before counts. */
async function measureOnF32(
  deps: TrainingDeps,
  report: ParityReport,
  model: Parameters<typeof withF32Base>[1],
  responses: Response[],
  signal?: AbortSignal,
): Promise<void> {
  const { adapterPath } = report;
  const onF32 = (modelPath: string) => measure(deps, report, { modelPath, adapterPath }, "f32", responses, signal);
  try {
    await withF32Base(deps, model, onF32, signal);
  } catch (error) {
    if (signal?.aborted) throw error;
    deps.log.warn({ scope: "training", adapterPath, err: error }, "parity could not be measured on F32 weights");
  }
}

/** What has failed already, and a change of nothing at all, is not seen better without noise. */
function canBeSharper(measurement: ParityMeasurement): boolean {
  if (judgeAgreement(measurement).verdict === "failed") return false;
  return !isSharp(measurement) && measurement.changeTrained !== null && measurement.changeTrained > 0;
}

/** The last measurement is the sharpest; one before it counts only when it finds a fault. */
function conclude(report: ParityReport): void {
  const judgements = report.measurements.map(judgeAgreement);
  const last = judgements.at(-1)!;
  const failures = judgements.filter(({ verdict }) => verdict === "failed");
  const reasons = (failures.length > 0 ? failures : [last]).flatMap(({ reason }) => reason ?? []);
  report.verdict = report.reasons.length > 0 || failures.length > 0 ? "failed" : last.verdict;
  report.reasons.push(...reasons);
}

/** Whether a greedy answer to the first probe ends with the model's own end-of-turn token within the limit. */
async function endsItsTurn(
  deps: TrainingDeps,
  modelPath: string,
  adapterPath: string,
  probes: ProbePair[],
  signal?: AbortSignal,
): Promise<boolean> {
  const question = probes[0]?.question ?? "";
  const sampler = { temperature: 0, seed: 1, maxTokens: MAX_ANSWER_TOKENS, dry: { strength: 0.8, allowedLength: 4 } };
  const messages = pairMessages(question);
  const result = await deps.runner.generate({ modelPath, adapterPath, messages, sampler }, () => {}, signal);
  return result.stopReason === "end_of_turn";
}

function differences(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value - b[i]!);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
