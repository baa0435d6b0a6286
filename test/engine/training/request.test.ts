import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fakeLogProbs, type FakeTrainer, makeFakeTrainer } from "../../harness/fake-trainer.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";
import { createTestEngine, TINY_MODEL, TINY_MODEL_PATH, type TestEngine } from "../../harness/test-engine.ts";

/** One request is one training, whatever ends the program on the way (Note: one request, one training). */
let dir: string;
let trainer: FakeTrainer;
let engine: TestEngine;
let pairs: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "request-"));
  trainer = makeFakeTrainer(dir);
  pairs = join(dir, "pairs.jsonl");
  writeFileSync(pairs, `${JSON.stringify({ prompt: "Why?", chosen: "So.", rejected: "No." })}\n`);
  engine = await open();
  await engine.rooms.models.api.addModel(TINY_MODEL_PATH);
});
afterEach(async () => {
  await engine.close();
  rmSync(dir, { recursive: true, force: true });
});

const runner = () => ({
  ...createScriptedRunner(() => "An answer."),
  logProbs: fakeLogProbs,
});
const open = () => createTestEngine({ dir, runner: runner(), config: { compute: trainer } });
const train = (set: Record<string, string> = {}) =>
  engine.client.training.start({ stage: "orpo", model: TINY_MODEL, pairs, out: join(dir, "out.gguf"), set });
const hasBegun = () => vi.waitFor(() => expect(trainer.begins().length).toBeGreaterThan(0), { timeout: 5000 });
const afterSteps = (n: number) =>
  vi.waitFor(
    async () => expect((await engine.client.training.listRuns({}))[0]?.nSteps ?? 0).toBeGreaterThanOrEqual(n),
    { timeout: 10_000 },
  );

async function reopen(): Promise<void> {
  await engine.close();
  engine = await open();
}

test("stopped and asked for again, a training goes on and is not done a second time", async () => {
  const first = await train();
  await afterSteps(3);
  await reopen();
  const again = await train();
  expect(again.jobId).toBe(first.jobId);
  await engine.finish(again);
  // once more the same command: everything is there
  expect((await train()).jobId).toBe(first.jobId);
  const begins = trainer.begins();
  expect(begins).toHaveLength(2);
  expect(begins[0]).toBe(0);
  expect(begins[1]).toBeGreaterThanOrEqual(3);
  expect(await engine.client.training.listRuns({})).toMatchObject([{ status: "succeeded", nSteps: 40 }]);

  rmSync(join(dir, "out.gguf"));
  const anew = await train();
  expect(anew.jobId).not.toBe(first.jobId);
  await engine.finish(anew);
  expect(existsSync(join(dir, "out.gguf"))).toBe(true);
}, 60_000);

test("the order of the settings does not matter; other settings or pairs are another training, in place of the unfinished one", async () => {
  const first = await train({ beta: "0.2", epochs: "2" });
  await hasBegun();
  expect((await train({ epochs: "2", beta: "0.2" })).jobId).toBe(first.jobId);
  const second = await train({ beta: "0.3" });
  expect(second.jobId).not.toBe(first.jobId);
  await expect(engine.finish(first)).rejects.toMatchObject({ code: "CANCELLED" });
  writeFileSync(
    pairs,
    `${readFileSync(pairs, "utf8")}${JSON.stringify({ prompt: "A?", chosen: "B.", rejected: "C." })}\n`,
  );
  const third = await train({ beta: "0.3" });
  expect(third.jobId).not.toBe(second.jobId);
  await engine.finish(third);
  expect(trainer.begins().every((step) => step === 0)).toBe(true);
}, 60_000);

test("a cancelled or failed training is gone on with, by the command or by a retry, and once", async () => {
  const first = await train();
  await afterSteps(3);
  await engine.client.job.cancel({ jobId: first.jobId });
  await expect(engine.finish(first)).rejects.toMatchObject({ code: "CANCELLED" });
  const { jobId } = await engine.client.job.retry({ jobId: first.jobId });
  expect((await engine.client.job.retry({ jobId: first.jobId })).jobId).toBe(jobId);
  expect((await train()).jobId).toBe(jobId);
  await engine.finish({ jobId });
  // the first try's button still stands there: what it asks for has been done
  expect((await engine.client.job.retry({ jobId: first.jobId })).jobId).toBe(jobId);
  expect(trainer.begins()[1]).toBeGreaterThanOrEqual(3);
  expect(trainer.begins()).toHaveLength(2);
  expect((await engine.client.job.list({})).filter(({ type }) => type === "training.run")).toHaveLength(2);
}, 60_000);

test("what a checkpoint has learnt from stays, though the file is gone", async () => {
  const first = await train();
  await afterSteps(3);
  await engine.close();
  rmSync(pairs);
  engine = await open();
  const job = await engine.finish(first);
  expect(job).toMatchObject({ status: "succeeded", id: first.jobId });
  expect(trainer.begins()[1]).toBeGreaterThanOrEqual(3);
}, 60_000);

test("what of the pairs cannot be used is in the events, the output and the run", async () => {
  const same = { prompt: "X?", chosen: "Y.", rejected: "Y." };
  writeFileSync(pairs, `${readFileSync(pairs, "utf8")}${JSON.stringify(same)}\n`);
  const job = await engine.finish(await train());
  const message = expect.stringMatching(/^1 of 2 pairs dropped: chosen and rejected are the same\. See .*line 2/);
  expect(job.output).toMatchObject({ pairProblems: [{ kind: "same_sides", n: 1, of: 2, message }] });
  expect((await engine.client.training.listRuns({}))[0]).toMatchObject({ nPairs: 1, pairProblems: [{ message }] });
  const { events } = await engine.client.job.get({ jobId: job.id });
  expect(events).toContainEqual(
    expect.objectContaining({ kind: "warning", payload: expect.objectContaining({ message }) }),
  );
  expect(engine.events).toContainEqual({ name: "training.warning", payload: expect.objectContaining({ message }) });
}, 60_000);

test("an output that cannot be is refused before anything is trained", async () => {
  const start = (out: string) => engine.client.training.start({ stage: "orpo", model: TINY_MODEL, pairs, out });
  await expect(start(dir)).rejects.toMatchObject({
    code: "VALIDATION_FAILED",
    message: expect.stringContaining("is a folder"),
  });
  expect(trainer.begins()).toEqual([]);
  expect(await engine.client.job.list({})).toEqual([]);
});
