import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { ModelFacts, ParityReport } from "../../shared/contract/model.ts";
import { isAppError } from "../../shared/errors.ts";
import type { EncodedPair } from "../inference/index.ts";
import { sha256OfFile } from "../lib/files.ts";
import { pairMessages } from "../preference/index.ts";
import { cardPathOf, type ProbeScore, readCard } from "./adapter-card.ts";
import type { TrainingDeps } from "./deps.ts";
import { runTrainer } from "./trainer-process.ts";

/**
 * [Note: parity] An adapter is handed over only when llama.cpp gives the same log-probs with it as the trainer. The
 * trainer's numbers on a few probe pairs, which no training has seen, are taken when the adapter is written and kept
 * in its card, so that a file that changed later is found out, too.
 * Tolerance: |difference| of the mean log-prob per token of a response. With F32 and F16 base tensors the trainer
 * scores with products in F32, and llama.cpp differs by its rounding only. With others, or where F32 weights do
 * not fit in memory, both round in their own ways (llama.cpp the activations to 8 bits, the trainer's kernels to BF16),
 * which moves the log-probs of the base model, too: so the base model's own difference on the same probes is the
 * measure. See docs/decisions/003.
 */
const EXACT_TYPES = new Set(["F32", "F16"]);
const TOLERANCE_EXACT = 1e-3;
/** Of the largest difference of the base model without the adapter. */
const TOLERANCE_PER_BASE_DIFFERENCE = 2;
/** F32 weights may take this share of the machine's memory. */
const MAX_MEMORY_SHARE = 0.5;
const MAX_ANSWER_TOKENS = 200;

const ProbePair = z.strictObject({ id: z.string(), question: z.string(), chosen: z.string(), rejected: z.string() });
type ProbePair = z.infer<typeof ProbePair>;
type EncodedProbe = EncodedPair & { id: string };

export type VerifyInput = { adapterPath: string; model: string };
export type VerifyResult = { report: ParityReport; scores: ProbeScore[] };

export async function verifyAdapter(
  deps: TrainingDeps,
  input: VerifyInput,
  signal?: AbortSignal,
): Promise<VerifyResult> {
  const model = await deps.models.resolveModel(input.model);
  const report: ParityReport = {
    verdict: "failed",
    reasons: [],
    tolerance: TOLERANCE_EXACT,
    maxAbsDifference: null,
    meanAbsDifference: null,
    baseMaxAbsDifference: null,
    adapterEffect: null,
    endsWithEndOfTurn: null,
    rows: [],
    modelName: model.name,
    adapterPath: input.adapterPath,
    checkedAt: deps.clock(),
  };
  let scores: ProbeScore[] = [];
  try {
    const card = readCard(cardPathOf(input.adapterPath));
    if (card && card.sha256 !== (await sha256OfFile(input.adapterPath, signal))) {
      report.reasons.push("The file is not the one that the trainer wrote: its SHA-256 differs from the card's.");
    }
    const probes = readProbes(join(deps.resourcesDir, "parity", "probe.jsonl"));
    const encoded = await encodeProbes(deps, model.path, probes, signal);
    scores = card?.probe ?? (await scoreByTrainer(deps, model, input.adapterPath, encoded, signal));
    await compare(
      deps,
      report,
      model.facts,
      { modelPath: model.path, adapterPath: input.adapterPath },
      encoded,
      scores,
      signal,
    );
    report.endsWithEndOfTurn = await endsItsTurn(deps, model.path, input.adapterPath, probes, signal);
  } catch (error) {
    if (signal?.aborted || !isUnreadableAdapter(error)) throw error;
    report.reasons.push(error.message);
  }
  report.verdict = report.reasons.length === 0 ? "passed" : "failed";
  return { report, scores };
}

/** What makes the adapter itself the culprit; anything else is a failure of the check and is thrown. */
function isUnreadableAdapter(error: unknown): error is Error {
  return isAppError(error, "ADAPTER_INVALID") || isAppError(error, "TRAINER_CONFIG");
}

function isScoredExactly({ quantisation, nParameters }: ModelFacts): boolean {
  const bytesInF32 = 4 * (nParameters ?? Number.POSITIVE_INFINITY);
  return EXACT_TYPES.has(quantisation) && bytesInF32 < MAX_MEMORY_SHARE * totalmem();
}

function readProbes(path: string): ProbePair[] {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.map((line) => ProbePair.parse(JSON.parse(line)));
}

async function encodeProbes(deps: TrainingDeps, modelPath: string, probes: ProbePair[], signal?: AbortSignal) {
  const encoded: EncodedProbe[] = [];
  for (const { id, question, chosen, rejected } of probes) {
    const messages = pairMessages(question);
    encoded.push({ id, ...(await deps.runner.encodePair({ modelPath, messages, chosen, rejected }, signal)) });
  }
  return encoded;
}

async function scoreByTrainer(
  deps: TrainingDeps,
  model: { path: string; facts: ModelFacts },
  adapterPath: string,
  encoded: EncodedProbe[],
  signal?: AbortSignal,
): Promise<ProbeScore[]> {
  const dir = await mkdtemp(join(tmpdir(), "preflexor-parity-"));
  try {
    const pairs = join(dir, "pairs.jsonl");
    const config = join(dir, "config.json");
    // EXO's reference is the base model: one run gives the log-probs of both
    const precision = isScoredExactly(model.facts) ? "f32" : "auto";
    const setting = { loss: "exo", model: model.path, adapter_in: adapterPath, pairs, max_length: 4096, precision };
    await writeFile(pairs, encoded.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
    await writeFile(config, JSON.stringify(setting));
    const scores: ProbeScore[] = [];
    await runTrainer(
      deps.trainer,
      "score",
      config,
      (event) => {
        if (event.event !== "pair") return;
        scores.push({
          id: event.id,
          chosenLogpSum: event.chosen_logp_sum,
          rejectedLogpSum: event.rejected_logp_sum,
          baseChosenLogpSum: event.ref_chosen_logp_sum ?? Number.NaN,
          baseRejectedLogpSum: event.ref_rejected_logp_sum ?? Number.NaN,
        });
      },
      signal,
    );
    return scores;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function compare(
  deps: TrainingDeps,
  report: ParityReport,
  facts: ModelFacts,
  binding: { modelPath: string; adapterPath: string },
  encoded: EncodedProbe[],
  scores: ProbeScore[],
  signal?: AbortSignal,
): Promise<void> {
  const sides = encoded.flatMap((pair) => [
    { id: pair.id, side: "chosen" as const, prompt: pair.prompt, response: pair.chosen },
    { id: pair.id, side: "rejected" as const, prompt: pair.prompt, response: pair.rejected },
  ]);
  const sequences = sides.map(({ prompt, response }) => ({ ids: [...prompt, ...response], from: prompt.length }));
  const tuned = await deps.runner.logProbs({ ...binding, sequences }, signal);
  const base = await deps.runner.logProbs({ modelPath: binding.modelPath, adapterPath: null, sequences }, signal);
  const baseDifferences: number[] = [];
  for (const [index, { id, side }] of sides.entries()) {
    const score = scores.find((entry) => entry.id === id);
    if (!score) throw new Error(`the trainer gave no score for ${id}`);
    const logProbs = tuned[index] ?? [];
    const llamaLogpSum = sum(logProbs);
    const trainerLogpSum = side === "chosen" ? score.chosenLogpSum : score.rejectedLogpSum;
    const trainerBaseSum = side === "chosen" ? score.baseChosenLogpSum : score.baseRejectedLogpSum;
    baseDifferences.push(Math.abs(trainerBaseSum - sum(base[index] ?? [])) / logProbs.length);
    const meanAbsDifference = Math.abs(trainerLogpSum - llamaLogpSum) / logProbs.length;
    report.rows.push({ id, side, nTokens: logProbs.length, trainerLogpSum, llamaLogpSum, meanAbsDifference });
  }
  const differences = report.rows.map((row) => row.meanAbsDifference);
  report.maxAbsDifference = Math.max(...differences);
  report.meanAbsDifference = sum(differences) / differences.length;
  const effects = tuned.map((logProbs, index) => Math.abs(sum(logProbs) - sum(base[index] ?? [])) / logProbs.length);
  report.adapterEffect = sum(effects) / effects.length;
  report.baseMaxAbsDifference = Math.max(...baseDifferences);
  if (!isScoredExactly(facts)) {
    report.tolerance = TOLERANCE_EXACT + TOLERANCE_PER_BASE_DIFFERENCE * report.baseMaxAbsDifference;
  }
  judge(report);
}

function judge(report: ParityReport): void {
  const worst = report.maxAbsDifference ?? Number.NaN;
  if (!Number.isFinite(worst)) {
    report.reasons.push("Log-probs are not finite: the adapter holds damaged numbers.");
  } else if (worst > report.tolerance) {
    report.reasons.push(
      `llama.cpp and the trainer differ by ${worst.toPrecision(3)} per token on average over a response; at most ${report.tolerance.toPrecision(3)} is allowed.`,
    );
  }
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

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
