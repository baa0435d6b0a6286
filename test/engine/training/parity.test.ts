import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import { cardPathOf } from "../../../main/engine/models/index.ts";
import { verifyAdapter } from "../../../main/engine/training/parity.ts";
import { encodeProbes, readProbes } from "../../../main/engine/training/probe-scores.ts";
import { AppError } from "../../../main/shared/errors.ts";
import { REPOSITORY_DIR } from "../../harness/corpus-bench.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";

const resourcesDir = join(REPOSITORY_DIR, "resources");
const MODEL = { name: "m", path: "/m.gguf", sha256: "a".repeat(64), facts: { nParameters: 1e6 } };

let dir: string;
let adapterPath: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-parity-"));
  adapterPath = join(dir, "a.gguf");
  writeFileSync(adapterPath, "the adapter's bytes");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** What the base model says of a token, and by how much the whole adapter changes that: made up, but fixed. */
const baseOf = (id: number, at: number) => -1 - ((id * 7 + at) % 11) / 10;
const changeOf = (id: number, at: number) => (((id * 13 + at * 5) % 17) - 8) / 40;

/**
 * A llama.cpp in which the adapter does a share of what was trained; the trainer's numbers come from the card. With
 * `noise` its rounding is other than the trainer's on the weights as they are.
 */
function depsWith(share: number, noise = 0): TrainingDeps {
  const runner = createScriptedRunner(() => "A short answer.");
  const roundingOf = (modelPath: string, at: number) => (modelPath === MODEL.path && at % 2 === 0 ? noise : 0);
  runner.logProbs = async ({ modelPath, adapterPath: adapter, sequences }) =>
    sequences.map(({ ids, from, positions }) =>
      (positions ?? ids.map((_, i) => i).slice(from)).map(
        (at) =>
          baseOf(ids[at]!, at) + roundingOf(modelPath, at) + (adapter === null ? 0 : share * changeOf(ids[at]!, at)),
      ),
    );
  const models = { resolveModel: async () => MODEL };
  // the devices are asked only for an adapter without a card
  const log = createSilentLogger();
  return { runner, models, resourcesDir, workspaceDir: dir, log, clock: () => 5 } as unknown as TrainingDeps;
}

async function writeCardFor(deps: TrainingDeps, facts: { sha256?: string; modelSha256?: string } = {}) {
  const encoded = await encodeProbes(deps, MODEL.path, readProbes(resourcesDir));
  const probe = encoded.map(({ id, prompt, chosen, rejected }) => {
    const logps = (response: number[], change: number) =>
      response.map((token, i) => baseOf(token, prompt.length + i) + change * changeOf(token, prompt.length + i));
    return {
      id,
      chosenLogps: logps(chosen, 1),
      rejectedLogps: logps(rejected, 1),
      baseChosenLogps: logps(chosen, 0),
      baseRejectedLogps: logps(rejected, 0),
    };
  });
  const sha256 = facts.sha256 ?? createHash("sha256").update("the adapter's bytes").digest("hex");
  const model = { name: "m", sha256: facts.modelSha256 ?? MODEL.sha256 };
  const card = { sha256, runId: "r", stage: "orpo", round: 0, model, config: {}, probe };
  writeFileSync(cardPathOf(adapterPath), JSON.stringify(card));
}

async function verdictWith(share: number, facts?: Parameters<typeof writeCardFor>[1]) {
  const deps = depsWith(share);
  await writeCardFor(deps, facts);
  return (await verifyAdapter(deps, { adapterPath, model: "m" })).report;
}

test("an adapter that does all that was trained passes, and its numbers are those of the tokens compared", async () => {
  const report = await verdictWith(1);
  expect(report).toMatchObject({ verdict: "passed", reasons: [], endsWithEndOfTurn: true, checkedAt: 5 });
  expect(report.measurements).toMatchObject([{ weights: "as_is", noise: 0 }]);
  expect(report.measurements[0]!.share).toBeCloseTo(1, 6);
  expect(report.rows.length).toBe(2 * readProbes(resourcesDir).length);
});

test.each([0, 0.5, 0.9, 1.2, -1])("one that does %d of it fails, and says how much is seen", async (share) => {
  const { verdict, reasons, endsWithEndOfTurn } = await verdictWith(share);
  expect(verdict).toBe("failed");
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toMatch(share === 0 ? /no log-prob changes at all/ : /of the change that was trained/);
  // nothing is generated with a file that does not do what was trained
  expect(endsWithEndOfTurn).toBeNull();
});

test("a file that is not the card's, and another model than the card's, fail however well they agree", async () => {
  expect(await verdictWith(1, { sha256: "b".repeat(64) })).toMatchObject({
    verdict: "failed",
    reasons: [expect.stringContaining("not the one that the trainer wrote")],
  });
  expect(await verdictWith(1, { modelSha256: "c".repeat(64) })).toMatchObject({
    verdict: "failed",
    reasons: [expect.stringContaining("trained on another model file")],
  });
});

test("a card that cannot be read is the adapter's fault and no crash of the check", async () => {
  writeFileSync(cardPathOf(adapterPath), "{");
  const { report } = await verifyAdapter(depsWith(1), { adapterPath, model: "m" });
  expect(report).toMatchObject({ verdict: "failed", reasons: [expect.stringContaining("card")], rows: [] });
});

/** Noise that makes the check ask for weights in F32, and is small enough to judge by. */
const NOISE = 0.004;

/** A trainer whose `dequantise` does what the test says, on every device; the devices that were asked for. */
function giveTrainer(deps: TrainingDeps, dequantise: string): (string | undefined)[] {
  const asked: (string | undefined)[] = [];
  const trainerPath = join(dir, "trainer");
  writeFileSync(trainerPath, `#!${process.execPath}\n${dequantise}`, { mode: 0o755 });
  const choose = async (device?: string) => {
    asked.push(device);
    return { location: { trainerPath, ggmlDir: dir } };
  };
  deps.devices = { choose } as never;
  return asked;
}

const weightsOf = ({ measurements }: { measurements: { weights: string }[] }) =>
  measurements.map(({ weights }) => weights);
const fails = (code: string, exitCode: number) =>
  `console.log(JSON.stringify({ event: "error", code: "${code}", message: "said so" })); process.exit(${exitCode});`;

test("where rounding counts, the check is made on F32 weights too, on the device that was asked for", async () => {
  const deps = depsWith(1, NOISE);
  const asked = giveTrainer(deps, `require("node:fs").writeFileSync(process.argv[4], "weights");`);
  await writeCardFor(deps);
  const { report } = await verifyAdapter(deps, { adapterPath, model: "m", device: "vulkan0" });
  expect(report).toMatchObject({ verdict: "passed", reasons: [] });
  expect(weightsOf(report)).toEqual(["as_is", "f32"]);
  expect(report.measurements[1]).toMatchObject({ noise: 0 });
  expect(asked).toEqual(["vulkan0"]);
  expect(readdirSync(join(dir, "cache"))).toEqual([]);
});

test("without room for F32 weights the check counts that was made without them", async () => {
  const deps = depsWith(1, NOISE);
  deps.models.resolveModel = async () => ({ ...MODEL, facts: { nParameters: null } }) as never;
  const asked = giveTrainer(deps, "process.exit(1)");
  await writeCardFor(deps);
  const { report } = await verifyAdapter(deps, { adapterPath, model: "m" });
  expect(report).toMatchObject({ verdict: "passed", reasons: [] });
  expect(weightsOf(report)).toEqual(["as_is"]);
  expect(asked).toEqual([]);
});

test.each([
  ["the disk is full", fails("DISK_FULL", 2)],
  ["the model is refused", fails("MODEL_INVALID", 2)],
  ["the trainer dies", "process.kill(process.pid, 'SIGKILL')"],
])("F32 weights that cannot be made are no fault of the adapter: %s", async (_name, dequantise) => {
  const deps = depsWith(1, NOISE);
  giveTrainer(deps, dequantise);
  await writeCardFor(deps);
  const { report } = await verifyAdapter(deps, { adapterPath, model: "m" });
  expect(report).toMatchObject({ verdict: "passed", reasons: [] });
  expect(weightsOf(report)).toEqual(["as_is"]);
});

test("F32 weights that no memory holds cost the second check, and nothing else", async () => {
  const deps = depsWith(1, NOISE);
  giveTrainer(deps, "");
  const { logProbs } = deps.runner;
  deps.runner.logProbs = async (request, signal) => {
    if (request.modelPath !== MODEL.path) throw new AppError("OUT_OF_MEMORY", "the model host ran out of memory");
    return logProbs(request, signal);
  };
  await writeCardFor(deps);
  const { report } = await verifyAdapter(deps, { adapterPath, model: "m" });
  expect(report).toMatchObject({ verdict: "passed", reasons: [] });
  expect(weightsOf(report)).toEqual(["as_is"]);
});

test("a check that is cancelled while F32 weights are made ends there", async () => {
  const deps = depsWith(1, NOISE);
  giveTrainer(deps, "setInterval(() => {}, 1000); process.stdin.on('data', () => process.exit(4));");
  await writeCardFor(deps);
  const controller = new AbortController();
  const checked = verifyAdapter(deps, { adapterPath, model: "m" }, controller.signal);
  setTimeout(() => controller.abort(), 300);
  await expect(checked).rejects.toMatchObject({ code: "INTERRUPTED" });
});
