import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import { createPreferenceStore } from "../../../main/engine/preference/preference-store.ts";
import { createRunStore } from "../../../main/engine/training/run-store.ts";
import { JobInputs } from "../../../main/shared/contract/job-types.ts";
import { copyOldWorkspace } from "../../harness/old-workspace.ts";

/** A workspace of version 0.1.0, killed in the second round of its first stage. */
let dir: string;
let before: { pairs: unknown[]; runs: unknown[]; keys: unknown[] };
let db: Db;

const PAIRS = "SELECT id, stage, round, ordinal, status, question, chosen, provenance FROM preference_pair ORDER BY id";
const RUNS = "SELECT id, job_id, stage, round, status, adapter_out, config FROM training_run ORDER BY id";
const KEYS = "SELECT id, status, idempotency_key FROM job ORDER BY id";

beforeEach(() => {
  dir = copyOldWorkspace("0.1.0");
  const old = new Database(join(dir, "studio.db"), { readonly: true });
  before = { pairs: old.prepare(PAIRS).all(), runs: old.prepare(RUNS).all(), keys: old.prepare(KEYS).all() };
  old.close();
  db = openDatabase(dir);
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

test("it is backed up before it is migrated, and keeps every pair, run and key of a job", () => {
  expect(before.pairs.length).toBeGreaterThan(1);
  expect(before.runs).toHaveLength(1);
  const [backup, ...others] = readdirSync(join(dir, "backups"));
  expect(others).toEqual([]);
  const kept = new Database(join(dir, "backups", backup!), { readonly: true });
  expect([kept.pragma("user_version", { simple: true }), kept.prepare(PAIRS).all()]).toEqual([7, before.pairs]);
  kept.close();
  expect(db.prepare(PAIRS).all()).toEqual(before.pairs);
  expect(db.prepare(RUNS).all()).toEqual(before.runs);
  expect(db.prepare(KEYS).all()).toEqual(before.keys);
});

test("its stages are called after their losses", () => {
  const rows = createPreferenceStore(db, Date.now).list({ stage: null, loss: null, status: null, limit: 500 });
  for (const row of rows) expect(row).toMatchObject({ stage: "orpo", stageIndex: 0, loss: "orpo" });
  expect(createRunStore(db, Date.now).list()).toMatchObject([{ stage: "orpo", stageIndex: 0, loss: "orpo" }]);
});

test("a training run that is tried again has the input of the present version", () => {
  const jobs = db.prepare<[], { input: string }>("SELECT input FROM job WHERE type = 'training.run'").all();
  expect(jobs).toHaveLength(1);
  expect(JobInputs["training.run"].parse(JSON.parse(jobs[0]!.input))).toMatchObject({
    stage: "orpo",
    stageIndex: 0,
    settings: { loss: "orpo", beta: 0.1, learning_rate: 2e-4 },
  });
});

test("its statements are there, and none claims a page that it was never given", () => {
  const { n } = db.prepare<[], { n: number }>("SELECT COUNT(*) AS n FROM preference_pair WHERE is_located = 0").get()!;
  const store = createPreferenceStore(db, Date.now);
  const sections = store
    .list({ stage: null, loss: null, status: null, limit: 500 })
    .flatMap(({ thinking }) => thinking.map((section) => section));
  expect(n).toBeGreaterThan(0);
  expect(sections.length).toBeGreaterThan(n);
  for (const { statements } of sections)
    for (const statement of statements) expect(statement).toEqual({ text: expect.any(String), spans: null });
  expect(db.prepare("SELECT DISTINCT basis, chunk_id FROM evidence WHERE source_kind = 'pair'").all()).toEqual([
    { basis: "unknown", chunk_id: null },
  ]);
});
