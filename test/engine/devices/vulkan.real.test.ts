import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packagesDir, rootDir } from "../../../main/cli/lib/paths.ts";
import type { RunDevice } from "../../../main/shared/contract/training.ts";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { runCli } from "../../harness/cli.ts";
import { mesaVersion } from "../../harness/mesa.ts";
import { startTestHost } from "../../harness/model-host.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";
import { createTestEngine } from "../../harness/test-engine.ts";
import { makeTinyModel, TINY_PAIR } from "../../harness/tiny-model.ts";
import { goodScript, PASSAGES } from "../preference/support.ts";

/**
 * The whole product on a device that is not the processor: Mesa's software Vulkan device stands for a graphics card. It
 * does what a card does and a hundred times slower, so the model is tiny.
 */
const mesa = mesaVersion();
const hasVulkan = mesa !== null && mesa >= 25;
const whyNot = `Mesa's software Vulkan device from version 25 on is needed, and there is ${mesa === null ? "none" : `version ${mesa}`}`;
const onVulkan = { GGML_VK_VISIBLE_DEVICES: "0" };
let dir: string;
let model: string;
let trainerPath: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "vulkan-"));
  model = makeTinyModel(join(dir, "tiny.gguf"));
  trainerPath = await ensureTrainerBuilt();
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const computesOnVulkan = {
  name: "vulkan0",
  description: expect.stringContaining("llvmpipe"),
  package: expect.stringMatching(/vulkan$/),
};

test("train: the trainer says that it computes there, and the run keeps it", async ({ skip }) => {
  skip(!hasVulkan, whyNot);
  const pairs = join(dir, "pairs.jsonl");
  writeFileSync(pairs, `${JSON.stringify(TINY_PAIR)}\n${JSON.stringify({ ...TINY_PAIR, prompt: "And why?" })}\n`);
  const workspace = join(dir, "train");
  const settings = ["device=vulkan0", "lora.r=2", "max_steps=2", "gradient_accumulation_steps=1"];
  const args = ["train", "--stage", "orpo", "--model", model, "--pairs", pairs, "--out", join(dir, "adapter.gguf")];
  const { code, stdout, stderr } = await runCli(
    ["--workspace", workspace, "--json", ...args, ...settings.flatMap((setting) => ["--set", setting])],
    { env: onVulkan, timeoutMs: 800_000 },
  );
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  expect(stderr).toContain("Computing on vulkan0: llvmpipe");
  const db = new Database(join(workspace, "studio.db"), { readonly: true });
  const run = db.prepare("SELECT device, config FROM training_run").get() as { device: string; config: string };
  const started = db.prepare("SELECT payload FROM job_event WHERE kind = 'started'").get() as { payload: string };
  db.close();
  const device = JSON.parse(run.device) as RunDevice;
  expect(device).toMatchObject(computesOnVulkan);
  expect(device.memoryTotalMb).toBeGreaterThan(0);
  expect(JSON.parse(run.config)).toMatchObject({ device: "vulkan0" });
  expect(JSON.parse(started.payload)).toMatchObject({ device: computesOnVulkan }); // the trainer's own hello
}, 900_000);

/** Words are played, since a model of one layer writes none; tokens, log-probs, training and parity are the product's. */
test("run: a recipe's pairs, training and parity, all on the one device", async ({ skip }) => {
  skip(!hasVulkan, whyNot);
  for (const [name, value] of Object.entries(onVulkan)) vi.stubEnv(name, value);
  const recipe = join(dir, "recipe.yaml");
  const text = readFileSync(join(rootDir, "test/fixtures/recipes/one-round-each.yaml"), "utf8");
  writeFileSync(
    recipe,
    text.replaceAll("smollm2-135m-instruct", model).replaceAll("max_length: 320", "max_length: 2048"),
  );
  const real = startTestHost("vulkan");
  const { encodePair, logProbs, facts, unload } = real.runner;
  const runner = { ...createScriptedRunner(goodScript), encodePair, logProbs, facts, unload };
  const engine = await createTestEngine({
    runner,
    config: { compute: { trainerPath, packagesDir, device: "vulkan0" } },
  });
  try {
    expect((await engine.client.device.checkInference({})).libraryVersion).toMatch(/vulkan$/);
    await engine.importPapers(
      PASSAGES.map((passage) => [`${passage} The effect was found in three batches of samples.`]),
    );
    const job = await engine.finish(await engine.client.training.runRecipe({ recipe }));
    expect(job.output).toMatchObject({ parity: "passed" });
    const runs = await engine.client.training.listRuns({});
    expect(runs.map(({ stage, status }) => [stage, status])).toEqual([
      ["exo", "succeeded"],
      ["orpo", "succeeded"],
    ]);
    for (const { device, config } of runs) {
      expect(device).toMatchObject(computesOnVulkan);
      expect(config).toMatchObject({ device: "vulkan0" });
    }
  } finally {
    await engine.close();
    engine.remove();
    await real.host.stop();
    vi.unstubAllEnvs();
  }
}, 900_000);
