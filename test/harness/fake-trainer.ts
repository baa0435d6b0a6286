import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ModelRunner } from "../../main/engine/inference/index.ts";
import { REPOSITORY_DIR } from "./corpus-bench.ts";

export type FakeTrainer = {
  trainerPath: string;
  /** As node_modules/@node-llama-cpp: one package without any library, with the processor as its device. */
  packagesDir: string;
  /** The step that each training began behind. */ begins(): number[];
};

/**
 * An executable with the trainer's protocol and none of its work: steps every few milliseconds, a checkpoint that holds
 * the step, a stop by command with exit code 4, and at its end a real adapter file. Every log-prob is
 * -2 by the base model and -1 with an adapter. `badSteps` give no finite loss; with `diverges` it gives up at the last one.
 */
export function makeFakeTrainer(
  dir: string,
  { nSteps = 40, stepMs = 20, badSteps = [] as number[], diverges = false } = {},
): FakeTrainer {
  const trainerPath = join(dir, "fake-trainer");
  const log = join(dir, "fake-trainer.log");
  const adapter = join(REPOSITORY_DIR, "test/fixtures/reference/adapter-init.gguf");
  const script = `#!${process.execPath}
const fs = require("node:fs");
const [command, configPath] = process.argv.slice(2);
const emit = (event) => fs.writeSync(1, JSON.stringify(event) + "\\n");
const device = { name: "cpu", description: "fake", backend: "cpu", type: "cpu", memory_free_mb: 1000, memory_total_mb: 2000 };
if (command === "devices") {
  emit({ event: "devices", devices: [device], backends: [], drivers: { cuda: false, vulkan: false } });
  process.exit(0);
}
if (command === "inspect") {
  emit({ event: "model", trainable: true, reason: null });
  process.exit(0);
}
const config = JSON.parse(fs.readFileSync(configPath, "utf8"));
const pairs = fs.readFileSync(config.pairs, "utf8").trim().split("\\n").map((line) => JSON.parse(line));
const tuned = (ids) => ids.map(() => -1);
const base = (ids) => ids.map(() => -2);
emit({ event: "hello", device, pairs: { used: pairs.length } });
if (command === "score") {
  for (const { id, chosen, rejected } of pairs)
    emit({ event: "pair", id, chosen_logp_sum: 0, rejected_logp_sum: 0, ref_chosen_logp_sum: 0, ref_rejected_logp_sum: 0,
      chosen_logps: tuned(chosen), rejected_logps: tuned(rejected), ref_chosen_logps: base(chosen), ref_rejected_logps: base(rejected) });
  emit({ event: "done" });
  process.exit(0);
}
const { path } = config.checkpoint;
let step = fs.existsSync(path) ? Number(fs.readFileSync(path, "utf8")) : 0;
fs.appendFileSync(${JSON.stringify(log)}, step + "\\n");
process.stdin.on("data", () => process.exit(4));
setInterval(() => {
  if (step === ${nSteps}) {
    fs.copyFileSync(${JSON.stringify(adapter)}, config.adapter_out);
    emit({ event: "done" });
    process.exit(0);
  }
  step++;
  fs.writeFileSync(path, String(step));
  const isBad = ${JSON.stringify(badSteps)}.includes(step);
  if (isBad) emit({ event: "warning", code: "GRADIENT_NOT_FINITE", message: "step " + step + " gave no finite gradient" });
  if (isBad && ${diverges} && step === ${badSteps.at(-1) ?? 0}) {
    emit({ event: "error", code: "DIVERGED", message: "steps in a row gave no finite gradient", hint: "Use a smaller learning_rate." });
    process.exit(2);
  }
  emit({ event: "step", step, epoch: 1, loss: isBad ? null : 1, grad_norm: isBad ? null : 1, steps: ${nSteps} });
}, ${stepMs});
`;
  writeFileSync(trainerPath, script);
  writeFileSync(log, "");
  chmodSync(trainerPath, 0o755);
  const begins = () => readFileSync(log, "utf8").split("\n").filter(Boolean).map(Number);
  const system = { win32: "win", darwin: "mac" }[process.platform as string] ?? "linux";
  const name = `${system}-${process.arch}`;
  const packagesDir = join(dir, "fake-packages");
  mkdirSync(join(packagesDir, name, "bins", name), { recursive: true });
  return { trainerPath, packagesDir, begins };
}

/** For a runner: log-probs that agree with this trainer's. */
export const fakeLogProbs: ModelRunner["logProbs"] = async ({ adapterPath, sequences }) =>
  sequences.map(({ ids, from, positions }) =>
    (positions ?? ids.slice(from)).map(() => (adapterPath === null ? -2 : -1)),
  );
