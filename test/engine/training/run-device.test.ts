import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeLogProbs, makeFakeTrainer } from "../../harness/fake-trainer.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";
import { createTestEngine, TINY_MODEL, type TestEngine } from "../../harness/test-engine.ts";

let dir: string;
let engine: TestEngine;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "run-device-"));
  writeFileSync(join(dir, "pairs.jsonl"), JSON.stringify({ prompt: "Why?", chosen: "So.", rejected: "No." }));
  const runner = {
    ...createScriptedRunner(() => "An answer."),
    logProbs: fakeLogProbs,
  };
  engine = await createTestEngine({ runner, config: { compute: makeFakeTrainer(dir, { nSteps: 1 }) } });
});
afterEach(async () => {
  await engine.close();
  engine.remove();
  rmSync(dir, { recursive: true, force: true });
});

const train = (set: Record<string, string>) =>
  engine.client.training.start({
    stage: "orpo",
    model: TINY_MODEL,
    pairs: join(dir, "pairs.jsonl"),
    out: join(dir, "out.gguf"),
    set,
  });

test("the trainer is told a device by name, and what it says to compute on is kept with the run", async () => {
  await engine.finish(await train({}));
  const [run] = await engine.client.training.listRuns({});
  expect(run).toMatchObject({
    config: { device: "cpu" },
    device: { name: "cpu", description: "fake", package: expect.stringMatching(/-/), memoryFreeMb: 1000 },
  });
});

test("a device that is not there ends the run before it begins, with its name and what there is", async () => {
  const training = await train({ device: "cuda0" });
  await expect(engine.finish(training)).rejects.toMatchObject({
    code: "DEVICE_UNAVAILABLE",
    message: expect.stringContaining("cuda0"),
    hint: expect.stringContaining("There are: cpu."),
  });
  expect(await engine.client.training.listRuns({})).toEqual([]);
});
