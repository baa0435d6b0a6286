import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packagesDir } from "../../main/cli/lib/paths.ts";
import { askTrainer, findPackages } from "../../main/engine/devices/index.ts";
import type { ModelRow } from "../../main/shared/contract/model.ts";
import { describeTraining } from "../../main/shared/describe-training.ts";
import { ensureTrainerBuilt } from "../../native-trainer/build.ts";
import { runJson } from "../harness/cli.ts";
import { ensureDemoModels } from "../harness/model-cache.ts";

/** Doctor, the list of models and the trainer say the same of one model; only what is free moves between two questions. */
let dir: string;
let trainerPath: string;
let chatModelPath: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "training-answer-"));
  trainerPath = await ensureTrainerBuilt();
  ({ chatModelPath } = await ensureDemoModels());
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const withoutFree = (words: string) => words.replace(/ of [\d.]+ [MG]B free$/, "");

test("doctor, models list and the trainer: trainable, on the processor, with so much memory", async () => {
  const run = async (...args: string[]) =>
    (await runJson(["--workspace", join(dir, "workspace"), "--device", "cpu", ...args])).json;
  const added = (await run("models", "add", chatModelPath)) as ModelRow;
  const { models } = (await run("models", "list")) as { models: ModelRow[] };
  const { findings } = (await run("doctor")) as { findings: { name: string; value: string }[] };
  const ggmlDir = findPackages(packagesDir).at(-1)!.ggmlDir;
  const { lines } = await askTrainer({ trainerPath, ggmlDir }, ["inspect", "--device", "cpu", chatModelPath]);

  expect(lines).toMatchObject([
    { event: "model", trainable: true, reason: null },
    { event: "training_memory", device: { name: "cpu" }, settings: { r: 16, max_length: 1024 } },
  ]);
  const { memory_estimate_mb: saidMb } = lines[1] as { memory_estimate_mb: number };
  const listed = models[0]!.training;
  expect(listed).toMatchObject({ isTrainable: true, reason: null, device: "cpu", fits: true });
  // the trainer itself, a part of the figure, has not quite the same size each time
  expect(Math.abs(listed.memoryMb! - saidMb)).toBeLessThanOrEqual(0.01 * saidMb + 2);
  expect(added.training).toMatchObject({ device: "cpu", memoryMb: listed.memoryMb, fits: true });
  const words = findings.find(({ name }) => name === `training of ${added.name}`)?.value ?? "";
  expect(words).toMatch(/^trainable on cpu with about [\d.]+ [MG]B of [\d.]+ GB free$/);
  expect(withoutFree(words)).toBe(withoutFree(describeTraining(listed)));
}, 120_000);
