import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobId } from "../../../main/shared/ids.ts";
import { copyOldWorkspace } from "../../harness/old-workspace.ts";
import { inquisitiveScript, openPipeline, type Pipeline } from "./support.ts";

/** A workspace of version 0.1.0: its recipe has two rounds of ORPO, the first one finished, and one of EXO. */
let pipeline: Pipeline;
let before: { id: string }[];
beforeEach(() => {
  const dir = copyOldWorkspace("0.1.0");
  // the played embedder's vectors are of another length than the real one's
  const db = new Database(join(dir, "studio.db"));
  db.exec("UPDATE question SET vector = NULL");
  db.close();
  pipeline = openPipeline(inquisitiveScript(), dir);
  before = pipeline.db.prepare<[], { id: string }>("SELECT id FROM training_run").all();
});
afterEach(async () => {
  await pipeline.close();
  pipeline.remove();
});

test("its experiment goes on by itself, behind the round that was finished, with its recipe upgraded", async () => {
  const [experiment, ...others] = await pipeline.experiments();
  expect(others).toEqual([]);
  const { rounds } = await pipeline.finish(experiment!);
  expect(rounds.map(({ stage, round, run }) => [stage, round, run?.runId === before[0]!.id])).toEqual([
    ["orpo", 0, true],
    ["orpo", 1, false],
    ["exo", 0, false],
  ]);
  const [second, exo] = pipeline.trained;
  expect(second).toMatchObject({ stage: "orpo", round: 1, adapterIn: rounds[0]!.run!.adapterPath });
  expect(second!.settings).toMatchObject({ loss: "orpo", beta: 0.1 });
  expect(second!.settings).not.toHaveProperty("label_smoothing");
  expect(exo).toMatchObject({ stage: "exo", mask: "answer_only", referenceAdapter: rounds[1]!.run!.adapterPath });
  expect(exo!.settings).toMatchObject({ loss: "exo", label_smoothing: 5e-3 });

  const [known] = await pipeline.experiments();
  expect(known).toMatchObject({ status: "succeeded", recipe: "small-steps" });
  expect(known!.changes).toContainEqual(expect.stringContaining("a stage has a name of its own"));
  const upgraded = pipeline.jobs.get(known!.jobId as JobId).events.find(({ kind }) => kind === "recipe_upgraded");
  expect(upgraded!.payload).toEqual({ changes: known!.changes });
});

test("run --resume finds it by its file", async () => {
  const [experiment] = await pipeline.experiments();
  const resumed = await pipeline.resume(experiment!.source!);
  expect(resumed).toMatchObject({ jobId: experiment!.jobId, notes: [] });
  await pipeline.finish(resumed);
});
