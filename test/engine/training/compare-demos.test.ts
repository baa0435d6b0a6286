import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeDatabase, openDatabase } from "../../../main/engine/db/index.ts";
import { createJobStore } from "../../../main/engine/jobs/index.ts";
import { createRunStore } from "../../../main/engine/training/run-store.ts";
import type { TrainingRunRow } from "../../../main/shared/contract/training.ts";
import { compareDemos, readDemo } from "../../harness/compare-demos.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "preflexor-demos-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A workspace with one run of one step. The adapter lies where finished runs keep it: beside the runs, not in them. */
function demo(name: string, adapter: string | null, status: TrainingRunRow["status"] = "succeeded"): string {
  const workspaceDir = join(dir, name);
  mkdirSync(workspaceDir);
  const db = openDatabase(workspaceDir);
  const job = { type: "training.run", title: "Train", lane: "gpu" as const, input: {} };
  const runs = createRunStore(db, Date.now);
  const run = runs.findOrCreate({
    jobId: createJobStore(db, Date.now).insert(job),
    experimentId: null,
    stage: "orpo",
    stageIndex: 0,
    loss: "orpo",
    round: 0,
    modelPath: "/m.gguf",
    modelName: "m",
    adapterIn: null,
    requestKey: null,
  });
  runs.putStep(run.id, { step: 1, epoch: 1, loss: 2.5, metrics: {} });
  const path = join(workspaceDir, "adapters", "demo-orpo-1.gguf");
  if (adapter !== null) write(path, adapter);
  runs.finish(run.id, status, path, null);
  closeDatabase(db);
  return workspaceDir;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const compare = (before: string, after: string) => compareDemos(readDemo(before), readDemo(after));

test("demos whose adapters are of the same bytes are the same, and a changed byte is a difference", () => {
  const a = demo("a", "weights");
  expect(compare(a, demo("b", "weights"))).toEqual([]);
  expect(compare(a, demo("c", "weighty"))).toMatchObject([
    { part: "adapters", name: "run 0 (round 1)", before: expect.stringMatching(/^[0-9a-f]{64}$/) },
  ]);
});

test("an adapter that is gone ends the comparison; a run that failed has none to compare", () => {
  expect(() => readDemo(demo("a", null))).toThrow("its adapter is not there");
  expect(readDemo(demo("b", null, "failed")).adapters).toEqual([{ name: "run 0 (round 1)", value: "failed" }]);
});
