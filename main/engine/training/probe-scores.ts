import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { ModelFacts } from "../../shared/contract/model.ts";
import type { EncodedPair } from "../inference/index.ts";
import { pairMessages } from "../preference/index.ts";
import type { ProbeScore } from "./adapter-card.ts";
import type { TrainingDeps } from "./deps.ts";
import { runTrainer } from "./trainer-process.ts";

const ProbePair = z.strictObject({ id: z.string(), question: z.string(), chosen: z.string(), rejected: z.string() });
export type ProbePair = z.infer<typeof ProbePair>;
export type EncodedProbe = EncodedPair & { id: string };

/** F32 weights may take this share of the machine's memory. */
const MAX_MEMORY_SHARE = 0.5;

/** Bytes of the model's weights in F32; infinite when their number is not known. */
export function bytesInF32({ nParameters }: ModelFacts): number {
  return 4 * (nParameters ?? Number.POSITIVE_INFINITY);
}

export function fitsInMemoryAsF32(facts: ModelFacts): boolean {
  return bytesInF32(facts) < MAX_MEMORY_SHARE * totalmem();
}

/** Pairs that no training has seen. */
export function readProbes(resourcesDir: string): ProbePair[] {
  const lines = readFileSync(join(resourcesDir, "parity", "probe.jsonl"), "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  return lines.map((line) => ProbePair.parse(JSON.parse(line)));
}

export async function encodeProbes(
  deps: TrainingDeps,
  modelPath: string,
  probes: ProbePair[],
  signal?: AbortSignal,
): Promise<EncodedProbe[]> {
  const encoded: EncodedProbe[] = [];
  for (const { id, question, chosen, rejected } of probes) {
    const messages = pairMessages(question);
    encoded.push({ id, ...(await deps.runner.encodePair({ modelPath, messages, chosen, rejected }, signal)) });
  }
  return encoded;
}

/** The trainer's log-probs, with products in F32 where memory allows: then they hold no rounding that matters. */
export async function scoreByTrainer(
  deps: TrainingDeps,
  model: { path: string; facts: ModelFacts },
  { adapterPath, device: wanted }: { adapterPath: string; device?: string | undefined },
  encoded: EncodedProbe[],
  signal?: AbortSignal,
): Promise<ProbeScore[]> {
  const { device, location } = await deps.devices.choose(wanted);
  const dir = await mkdtemp(join(tmpdir(), "preflexor-parity-"));
  try {
    const pairs = join(dir, "pairs.jsonl");
    const config = join(dir, "config.json");
    // EXO's reference is the base model: one run gives the log-probs of both
    const precision = fitsInMemoryAsF32(model.facts) ? "f32" : "auto";
    const base = { loss: "exo", model: model.path, adapter_in: adapterPath, pairs, device: device.name };
    const setting = { ...base, max_length: 4096, precision, token_logps: true };
    await writeFile(pairs, encoded.map((pair) => `${JSON.stringify(pair)}\n`).join(""));
    await writeFile(config, JSON.stringify(setting));
    const scores: ProbeScore[] = [];
    await runTrainer(
      location,
      "score",
      [config],
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
