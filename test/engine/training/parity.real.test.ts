import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { readGgufHeader } from "../../../main/engine/gguf/index.ts";
import { createModelHost, createModelRunner, startNodeHost } from "../../../main/engine/inference/index.ts";
import { sha256OfFile } from "../../../main/engine/lib/files.ts";
import { readHeaderFacts } from "../../../main/engine/models/facts.ts";
import { pairMessages } from "../../../main/engine/preference/index.ts";
import { cardPathOf } from "../../../main/engine/models/index.ts";
import { type AdapterCard, writeCard } from "../../../main/engine/training/adapter-card.ts";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import { verifyAdapter } from "../../../main/engine/training/parity.ts";
import { runTrainer } from "../../../main/engine/training/trainer-process.ts";
import { parityInWords } from "../../../main/cli/lib/parity-words.ts";
import type { ParityReport } from "../../../main/shared/contract/model.ts";
import { cacheDir } from "../../harness/cache.ts";
import {
  cpuKindsHere,
  machineName,
  marksAbove,
  type ProgramCopy,
  programWithLibrary,
} from "../../harness/cpu-libraries.ts";
import { dequantiseGguf } from "../../harness/dequantise-gguf.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";

/**
 * Parity of adapters that were really trained, a good one and what damage makes of it, on each kind of processor that
 * this one can stand in for: with ggml's library and the trainer's kernels of that kind, since each rounds in its own way.
 */
// a busy machine takes ten times as long as an idle one
vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });
const resourcesDir = resolve(import.meta.dirname, "../../../resources");
const N_PAIRS = 6;
const kinds = cpuKindsHere();
const dir = mkdtempSync(join(tmpdir(), "parity-"));
const models: Record<string, { path: string; sha256: string }> = {};
let trainerPath: string;

beforeAll(async () => {
  console.log(`${machineName()}: as ${kinds.map(({ library, isa }) => `${library} (trainer: ${isa})`).join(", ")}`);
  trainerPath = await ensureTrainerBuilt();
  const { chatModelPath } = await ensureDemoModels();
  const cached = (name: string) => join(cacheDir(), `SmolLM2-135M-Instruct.${name}.gguf`);
  const paths = { Q4_1: chatModelPath, F16: await dequantiseGguf(chatModelPath, cached("F16")) };
  for (const [name, path] of Object.entries(paths)) models[name] = { path, sha256: await sha256OfFile(path) };
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The product's parity check in a program that has only this kind's library. */
function startAs(program: ProgramCopy) {
  const entry = join(program.root, "main/engine/inference/host/main.ts");
  const host = createModelHost({ startHost: startNodeHost(entry) });
  const runner = createModelRunner(host);
  const location = { trainerPath, ggmlDir: program.ggmlDir };
  const deps = {
    models: {
      resolveModel: async (name: string) => ({
        name,
        ...models[name],
        facts: await readHeaderFacts(models[name]!.path),
      }),
    },
    runner,
    devices: { choose: async () => ({ device: { name: "cpu" }, location }) },
    workspaceDir: join(dir, program.library),
    resourcesDir,
    clock: Date.now,
  } as unknown as TrainingDeps; // the rest is of no concern to parity
  return { host, runner, location, deps };
}
type Started = ReturnType<typeof startAs>;

async function train({ location, runner }: Started, name: string, settings: object): Promise<string> {
  const pairs = readFileSync(resolve(import.meta.dirname, "../../fixtures/preference/pairs.jsonl"), "utf8")
    .split("\n")
    .slice(0, N_PAIRS)
    .map((line) => JSON.parse(line) as { id: string; question: string; chosen: string; rejected: string });
  const modelPath = models["Q4_1"]!.path;
  const lines: string[] = [];
  for (const { id, question, chosen, rejected } of pairs) {
    const encoded = await runner.encodePair({ modelPath, messages: pairMessages(question), chosen, rejected });
    lines.push(JSON.stringify({ id, ...encoded }));
  }
  const adapter = join(dir, `${name}.gguf`);
  const [pairsPath, config] = [join(dir, `${name}.jsonl`), join(dir, `${name}-config.json`)];
  writeFileSync(pairsPath, lines.join("\n"));
  const setting = { loss: "orpo", model: modelPath, adapter_out: adapter, pairs: pairsPath, ...settings };
  writeFileSync(config, JSON.stringify(setting));
  await runTrainer(location, "train", [config], () => {});
  return adapter;
}

function say(what: string, report: ParityReport): void {
  console.log([`${what}: ${report.verdict}`, ...parityInWords(report), ...report.reasons].join("\n  "));
}

/** A copy in which the numbers are changed, with the card of the original as if it had been written for this file. */
async function damaged(adapter: string, name: string, damage: (tensors: Tensors, bytes: Buffer) => void) {
  const to = join(dir, `${name}.gguf`);
  const bytes = readFileSync(adapter);
  const { tensors } = await readGgufHeader(adapter);
  const values = tensors.map(({ name: tensor, start, sizeBytes }) => ({
    tensor,
    isB: tensor.endsWith(".lora_b"),
    layer: Number(/^blk\.(\d+)\./.exec(tensor)?.[1]),
    values: new Float32Array(bytes.buffer, bytes.byteOffset + start, sizeBytes / 4),
  }));
  damage(values, bytes);
  writeFileSync(to, bytes);
  const card = JSON.parse(readFileSync(cardPathOf(adapter), "utf8")) as AdapterCard;
  await writeCard(cardPathOf(to), { ...card, sha256: await sha256OfFile(to) });
  return to;
}
type Tensors = { tensor: string; isB: boolean; layer: number; values: Float32Array }[];

function scaleB(tensors: Tensors, factor: number, isWanted: (layer: number) => boolean = () => true): void {
  for (const { isB, layer, values } of tensors)
    if (isB && isWanted(layer)) for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

function swapLayers(tensors: Tensors, one: number, other: number): void {
  for (const { tensor, layer, values } of tensors) {
    if (layer !== one) continue;
    const there = tensors.find((entry) => entry.tensor === tensor.replace(`blk.${one}.`, `blk.${other}.`))!.values;
    const kept = values.slice();
    values.set(there);
    there.set(kept);
  }
}

const MIDDLE = 15;
const everywhere: [string, (tensors: Tensors, bytes: Buffer) => void][] = [
  ["none of what was trained", (tensors) => scaleB(tensors, 0)],
  ["half of what was trained", (tensors) => scaleB(tensors, 0.5)],
];
/**
 * Tried with the first library only: the damage lies in the file and is far greater than what the libraries' roundings
 * differ by, and each costs a parity check more.
 */
const once: typeof everywhere = [
  ["twice of what was trained", (tensors) => scaleB(tensors, 2)],
  ["all but one layer", (tensors) => scaleB(tensors, 0, (layer) => layer === MIDDLE)],
  ["all, with two layers in each other's place", (tensors) => swapLayers(tensors, MIDDLE, MIDDLE + 1)],
  ["something that is no number", (tensors) => (tensors.find(({ isB }) => isB)!.values[7] = Number.NaN)],
];

describe.each(kinds.map((kind, index) => ({ ...kind, isFirst: index === 0 })))(
  "with ggml's $library and the trainer's $isa",
  ({ library, isa, mark, isFirst }) => {
    let program: ProgramCopy;
    let started: Started;
    let adapter: string;
    let step: string;

    beforeAll(async () => {
      process.env["PREFLEXOR_CPU_ISA"] = isa;
      program = programWithLibrary(library);
      started = startAs(program);
      adapter = await train(started, `${library}-epochs`, { epochs: 2, gradient_accumulation_steps: 2 });
      step = await train(started, `${library}-step`, { max_steps: 1 });
    });
    afterAll(async () => {
      delete process.env["PREFLEXOR_CPU_ISA"];
      await started.host.stop();
      program.remove();
    });

    const check = async (adapterPath: string, model: string) => {
      const { report, scores } = await verifyAdapter(started.deps, { adapterPath, model });
      say(`${library}, ${model}, ${adapterPath.slice(dir.length + 1)}`, report);
      return { report, scores };
    };

    test("llama.cpp computes with that library alone", async () => {
      const { libraryVersion } = await started.runner.facts();
      const instructionSets = /\((.+)\)$/.exec(libraryVersion)?.[1]?.split(" ");
      expect(instructionSets).toContain(mark);
      for (const above of marksAbove(library)) expect(instructionSets).not.toContain(above);
    });

    test("a good adapter passes on quantised weights, also after a single step, and on F16", async () => {
      const { report, scores } = await check(adapter, "Q4_1");
      expect(report).toMatchObject({ verdict: "passed", reasons: [] });
      expect(report.rows).toHaveLength(6);
      const { share, noise, changeTrained } = report.measurements.at(-1)!;
      expect(Math.abs(share! - 1)).toBeLessThan(0.01);
      expect(noise!).toBeLessThan(1e-3);
      expect(changeTrained!).toBeGreaterThan(0.02);
      const model = { name: "Q4_1", sha256: models["Q4_1"]!.sha256 };
      const sha256 = await sha256OfFile(adapter);
      await writeCard(cardPathOf(adapter), {
        sha256,
        runId: "",
        stage: "orpo",
        round: 0,
        model,
        config: {},
        probe: scores,
      });

      expect((await check(step, "Q4_1")).report).toMatchObject({ verdict: "passed", reasons: [] });
      const withoutCard = join(dir, `${library}-foreign.gguf`);
      copyFileSync(adapter, withoutCard);
      expect((await check(withoutCard, "F16")).report).toMatchObject({ verdict: "passed", reasons: [] });
    });

    test.each(isFirst ? [...everywhere, ...once] : everywhere)(
      "an adapter that does %s fails",
      async (what, damage) => {
        const file = await damaged(adapter, `${library}-${what.replaceAll(/\W+/g, "-")}`, damage);
        const { report } = await check(file, "Q4_1");
        expect(report, what).toMatchObject({ verdict: "failed" });
        expect(report.reasons.join(" ")).not.toContain("SHA-256");
      },
    );

    test("an adapter with another alpha fails, and one of another model says so", async ({ skip }) => {
      skip(!isFirst, `tried with ${kinds[0]!.library} only, since a wrong file is wrong with every library`);
      const wrongAlpha = await damaged(adapter, `${library}-alpha`, (_, bytes) => {
        const at = bytes.indexOf("adapter.lora.alpha") + "adapter.lora.alpha".length + 4;
        bytes.writeFloatLE(1.5 * bytes.readFloatLE(at), at);
      });
      expect((await check(wrongAlpha, "Q4_1")).report.verdict).toBe("failed");
      const { report } = await check(adapter, "F16");
      expect(report.verdict).toBe("failed");
      expect(report.reasons.join(" ")).toContain("another model file (Q4_1");
    });
  },
);

if (kinds.length === 0)
  test("parity as on other processors", ({ skip }) =>
    skip(`${machineName()} has one library for all, which adapter.real.test.ts tries`));
