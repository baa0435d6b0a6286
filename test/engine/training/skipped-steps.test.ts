import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { TrainingRunOutput } from "../../../main/shared/contract/job-types.ts";
import { judgeTraining } from "../../../main/shared/training-verdict.ts";
import { fakeLogProbs, makeFakeTrainer } from "../../harness/fake-trainer.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";
import { createTestEngine, TINY_MODEL, type TestEngine } from "../../harness/test-engine.ts";

/** Steps whose loss is no finite number: the trainer writes null for it and leaves the update out. */
let dir: string;
let engine: TestEngine | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "skipped-"));
  writeFileSync(join(dir, "pairs.jsonl"), JSON.stringify({ prompt: "Why?", chosen: "So.", rejected: "No." }));
});
afterEach(async () => {
  await engine?.close();
  engine?.remove();
  rmSync(dir, { recursive: true, force: true });
});

async function train(trainer: Parameters<typeof makeFakeTrainer>[1]) {
  const runner = { ...createScriptedRunner(() => "An answer."), logProbs: fakeLogProbs };
  engine = await createTestEngine({ runner, config: { compute: makeFakeTrainer(dir, { stepMs: 2, ...trainer }) } });
  const request = { stage: "orpo", model: TINY_MODEL, pairs: join(dir, "pairs.jsonl"), out: join(dir, "out.gguf") };
  return engine.finish(await engine.client.training.start(request));
}

test("a run goes on behind such a step, keeps its number, and its verdict says so", async () => {
  const { output } = await train({ nSteps: 3, badSteps: [2] });
  const { runId, nSteps } = output as TrainingRunOutput;
  expect(nSteps).toBe(3);
  const run = await engine!.client.training.getRun({ runId });
  expect(run.steps.map(({ step }) => step)).toEqual([1, 3]);
  expect(run.skippedSteps).toEqual([2]);
  expect(judgeTraining(run).sentences).toContainEqual(expect.stringMatching(/^Step 2 gave no finite gradient/));
});

test("a trainer that gives up says why", async () => {
  await expect(train({ badSteps: [2, 3], diverges: true })).rejects.toMatchObject({
    code: "TRAINER_CONFIG",
    hint: expect.stringContaining("smaller learning_rate"),
    details: { trainerCode: "DIVERGED" },
  });
});

test("a run without one finite loss has learned nothing, and leaves no adapter", async () => {
  await expect(train({ nSteps: 2, badSteps: [1, 2] })).rejects.toMatchObject({ code: "TRAINER_CONFIG" });
  expect(await engine!.client.model.listAdapters({})).toEqual([]);
});
