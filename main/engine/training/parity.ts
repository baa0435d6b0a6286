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
 * With F32 and F16 base tensors the trainer scores with products in F32, llama.cpp differs by its rounding only, and
 * the log-prob of every token has to agree. With others, or where F32 weights do not fit in memory, both round in
 * their own ways (llama.cpp the activations to 8 bits, the trainer's kernels to BF16), which moves the log-probs of the
 * base model, too: so the mean over all tokens is compared with the base model's own. See docs/decisions/003.
 */
const EXACT_TYPES = new Set(["F32", "F16"]);
const TOLERANCE_EXACT = 1e-3;
/** Of the mean difference of the base model without the adapter. */
const TOLERANCE_PER_BASE_DIFFERENCE = 2;
/** F32 weights may take this share of the machine's memory. */
const MAX_MEMORY_SHARE = 0.5;
const MAX_ANSWER_TOKENS = 200;

const ProbePair = z.strictObject({ id: z.string(), question: z.string(), chosen: z.string(), rejected: z.string() });
type ProbePair = z.infer<typeof ProbePair>;
type EncodedProbe = EncodedPair & { id: string };

export type VerifyInput = { adapterPath: string; model: string; device?: string | undefined };
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
    measure: isScoredExactly(model.facts) ? "max_abs_difference" : "mean_abs_difference",
    tolerance: TOLERANCE_EXACT,
    maxAbsDifference: null,
    meanAbsDifference: null,
    baseMeanAbsDifference: null,
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
    scores = card?.probe ?? (await scoreByTrainer(deps, model, input, encoded, signal));
    await compare(deps, report, { modelPath: model.path, adapterPath: input.adapterPath }, encoded, scores, signal);
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
  { adapterPath, device: wanted }: VerifyInput,
  encoded: EncodedProbe[],
  signal?: AbortSignal,
): Promise<ProbeScore[]> {
  const { device, location } = await deps.devices.choose(wanted);
  const dir = await mkdtemp(join(tmpdir(), "preflexor-parity-"));
  try {
    const pairs = join(dir, "pairs.jsonl");
    const config = join(dir, "config.json");
    // EXO's reference is the base model: one run gives the log-probs of both
    const precision = isScoredExactly(model.facts) ? "f32" : "auto";
    const base = { loss: "exo", model: model.path, adapter_in: adapterPath, pairs, device: device.name };
    const setting = { ...base, max_length: 4096, precision, token_logps: true };
    await writeFile(pairs, encoded.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
    await writeFile(config, JSON.stringify(setting));
    const scores: ProbeScore[] = [];
    await runTrainer(
      location,
      "score",
      config,
      (event) => {
        if (event.event !== "pair") return;
        scores.push({
          id: event.id,
          chosenLogps: event.chosen_logps ?? [],
          rejectedLogps: event.rejected_logps ?? [],
          baseChosenLogps: event.ref_chosen_logps ?? [],
          baseRejectedLogps: event.ref_rejected_logps ?? [],
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
  const differences: number[] = [];
  const baseDifferences: number[] = [];
  const effects: number[] = [];
  for (const [index, { id, side }] of sides.entries()) {
    const score = scores.find((entry) => entry.id === id);
    if (!score) throw new Error(`the trainer gave no score for ${id}`);
    const [llama = [], llamaBase = []] = [tuned[index], base[index]];
    const trainer = side === "chosen" ? score.chosenLogps : score.rejectedLogps;
    const ofRow = absDifferences(trainer, llama);
    differences.push(...ofRow);
    baseDifferences.push(
      ...absDifferences(side === "chosen" ? score.baseChosenLogps : score.baseRejectedLogps, llamaBase),
    );
    effects.push(...absDifferences(llama, llamaBase));
    report.rows.push({
      id,
      side,
      nTokens: llama.length,
      trainerLogpSum: sum(trainer),
      llamaLogpSum: sum(llama),
      meanAbsDifference: mean(ofRow),
      maxAbsDifference: Math.max(...ofRow),
    });
  }
  report.maxAbsDifference = Math.max(...differences);
  report.meanAbsDifference = mean(differences);
  report.baseMeanAbsDifference = mean(baseDifferences);
  report.adapterEffect = mean(effects);
  if (report.measure === "mean_abs_difference")
    report.tolerance = TOLERANCE_EXACT + TOLERANCE_PER_BASE_DIFFERENCE * report.baseMeanAbsDifference;
  judge(report);
}

/** Token by token. A missing token is a difference that is not finite. */
function absDifferences(a: readonly number[], b: readonly number[]): number[] {
  const n = Math.max(a.length, b.length);
  return Array.from({ length: n }, (_, i) => Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
}

function judge(report: ParityReport): void {
  const isEveryToken = report.measure === "max_abs_difference";
  const measured = (isEveryToken ? report.maxAbsDifference : report.meanAbsDifference) ?? Number.NaN;
  if (!Number.isFinite(measured)) {
    report.reasons.push("Log-probs are not finite: the adapter holds damaged numbers.");
  } else if (!(measured <= report.tolerance)) {
    report.reasons.push(
      `The log-probs of llama.cpp and the trainer differ by ${measured.toPrecision(3)} ${isEveryToken ? "at a token" : "per token on average"}; at most ${report.tolerance.toPrecision(3)} is allowed.`,
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

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
