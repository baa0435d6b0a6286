/**
 * What rounding does to a run: 50 steps with precision "auto" beside the same 50 in "f32".
 *
 *   node native-trainer/bench/precision.ts MODEL.gguf PAIRS.jsonl [--steps N]
 *
 * PAIRS.jsonl are token ids for that model, as every run of a workspace keeps them (runs/<id>/pairs.jsonl). One pair a step,
 * in one order. Printed for each loss and rate: the largest relative difference of a step's loss and of its gradient norm.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureTrainerBuilt } from "../build.ts";

type Step = { loss: number; grad_norm: number };

const cases = [
  { loss: "orpo", learning_rate: 5e-5 },
  { loss: "exo", learning_rate: 1e-6 },
  { loss: "exo", learning_rate: 2e-5 },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { steps: { type: "string", default: "50" } },
});
const [model, pairs] = positionals;
if (!model || !pairs) throw new Error("usage: node native-trainer/bench/precision.ts MODEL.gguf PAIRS.jsonl");

const trainer = await ensureTrainerBuilt({ log: note });
const dir = mkdtempSync(join(tmpdir(), "precision-"));
print(
  "| loss | rate | first | last | largest difference of the loss | of the gradient norm |\n|---|---|---|---|---|---|",
);
for (const setting of cases) {
  const exact = run({ ...setting, precision: "f32" });
  const fast = run({ ...setting, precision: "auto" });
  const worst = (key: keyof Step) =>
    Math.max(...exact.map((step, i) => Math.abs((fast[i]?.[key] ?? Number.NaN) / step[key] - 1)));
  const [first, last] = [exact[0], exact.at(-1)].map((step) => step?.loss.toFixed(3));
  const rate = setting.learning_rate.toExponential();
  print(
    `| ${setting.loss} | ${rate} | ${first} | ${last} | ${worst("loss").toExponential(1)} | ${worst("grad_norm").toExponential(1)} |`,
  );
}
rmSync(dir, { recursive: true, force: true });

function run(setting: { loss: string; learning_rate: number; precision: string }): Step[] {
  const config = join(dir, "config.json");
  const name = `${setting.loss}-${setting.learning_rate}-${setting.precision}`;
  writeFileSync(
    config,
    JSON.stringify({
      ...setting,
      model,
      pairs,
      adapter_out: join(dir, `${name}.gguf`),
      max_steps: Number(values.steps),
      gradient_accumulation_steps: 1,
      device: "cpu",
      checkpoint: { every_steps: 0 },
    }),
  );
  const { status, stdout } = spawnSync(trainer, ["train", config], { encoding: "utf8", maxBuffer: 2 ** 28 });
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Step & { event: string; message?: string });
  if (status !== 0) throw new Error(events.at(-1)?.message ?? `the trainer ended with ${status}`);
  return events.filter(({ event }) => event === "step");
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
