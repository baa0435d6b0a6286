import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import { createJobStore } from "../../../main/engine/jobs/index.ts";
import { createRunStore, type NewRun, type RunStore } from "../../../main/engine/training/run-store.ts";
import type { JobId } from "../../../main/shared/ids.ts";

let dir: string;
let db: Db;
let runs: RunStore;
let now: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-runs-"));
  db = openDatabase(dir);
  now = 1000;
  const experiment = db.prepare("INSERT INTO experiment (id, key, recipe, created_at) VALUES (?, ?, '{}', 0)");
  for (const id of ["e", "other"]) experiment.run(id, id);
  runs = createRunStore(db, () => now++);
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

/** A row of the queue, since a run belongs to a job. */
const newJob = (): JobId =>
  createJobStore(db, () => now++).insert({ type: "training.run", title: "Train", lane: "gpu", input: {} });

const request = (facts: Partial<NewRun> = {}): NewRun => ({
  jobId: newJob(),
  experimentId: "e",
  stage: "warm-up",
  stageIndex: 0,
  loss: "orpo",
  round: 0,
  modelPath: "/m.gguf",
  modelName: "m",
  adapterIn: null,
  requestKey: null,
  ...facts,
});

test("a job that is attempted again finds its run, and a job that takes a round over goes on with the round's run", () => {
  const first = request();
  const run = runs.findOrCreate(first);
  expect(runs.findOrCreate(first)).toEqual(run);
  runs.finish(run.id, "failed", null, null);
  const adopted = runs.findOrCreate(request());
  expect(adopted).toMatchObject({ id: run.id, status: "running", finishedAt: null });
  expect(runs.list()).toHaveLength(1);
});

test("a job that was stopped with the program and runs again has a run that is running", () => {
  const stopped = request({ experimentId: null });
  const { id } = runs.findOrCreate(stopped);
  runs.finish(id, "stopped", null, null);
  expect(runs.findOrCreate(stopped)).toMatchObject({ id, status: "running", finishedAt: null });
});

test("two stages of one loss, two rounds and two experiments have runs of their own", () => {
  const ids = [
    request(),
    request({ stage: "masked", stageIndex: 1 }),
    request({ round: 1 }),
    request({ experimentId: "other" }),
  ].map((run) => runs.findOrCreate(run).id);
  expect(new Set(ids).size).toBe(4);
  expect(runs.list().map(({ id }) => id)).toEqual(ids.toReversed());
});

test("a training asked for by itself goes on with its unfinished run, and begins anew after a finished one", () => {
  const ask = (requestKey: string | null) => runs.findOrCreate(request({ experimentId: null, requestKey }));
  const run = ask("key");
  expect(ask("another").id).not.toBe(run.id);
  expect(ask(null).id).not.toBe(ask(null).id);
  runs.finish(run.id, "stopped", null, null);
  expect(ask("key").id).toBe(run.id);
  runs.finish(run.id, "succeeded", "/a.gguf", { loss: 1 });
  expect(ask("key").id).not.toBe(run.id);
});

test("a step that is made again after a crash replaces what it said, and steps come in their order", () => {
  const { id } = runs.findOrCreate(request());
  runs.putStep(id, { step: 2, epoch: 1, loss: 3, metrics: { grad_norm: 5, "rewards/margins": -1 } });
  runs.putStep(id, { step: 1, epoch: 0.5, loss: 4, metrics: { grad_norm: 6 } });
  runs.putStep(id, { step: 2, epoch: 1, loss: 2.5, metrics: { grad_norm: 4, "rewards/margins": 0.25 } });
  expect(runs.steps(id)).toEqual([
    { step: 1, epoch: 0.5, loss: 4, metrics: { grad_norm: 6 } },
    { step: 2, epoch: 1, loss: 2.5, metrics: { grad_norm: 4, "rewards/margins": 0.25 } },
  ]);
  expect(runs.get(id)).toMatchObject({ nSteps: 2, nPairs: 0 });
});

test("of each problem of the pairs the newest count is kept", () => {
  const { id } = runs.findOrCreate(request());
  const problem = (kind: string, n: number) => ({ kind, n, of: 9, isDropped: true, message: `${n} of 9` });
  for (const entry of [problem("same_sides", 1), problem("too_long", 2), problem("same_sides", 3)])
    runs.addPairProblem(id, entry);
  expect(runs.get(id)!.pairProblems).toEqual([problem("too_long", 2), problem("same_sides", 3)]);
});

test("a finished run keeps its settings, its adapter and when it ended", () => {
  const { id, startedAt } = runs.findOrCreate(request());
  runs.setConfig(id, { loss: "orpo", beta: 0.1 });
  runs.setNPairs(id, 7);
  runs.finish(id, "succeeded", "/a.gguf", null);
  const run = runs.get(id)!;
  expect(run).toMatchObject({
    status: "succeeded",
    adapterOut: "/a.gguf",
    nPairs: 7,
    config: { loss: "orpo", beta: 0.1 },
  });
  expect(run.finishedAt).toBeGreaterThan(startedAt);
});
