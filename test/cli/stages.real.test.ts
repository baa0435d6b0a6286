import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AdapterCard } from "../../main/engine/training/index.ts";
import type { ExperimentOutput } from "../../main/shared/contract/job-types.ts";
import { ensureTrainerBuilt } from "../../native-trainer/build.ts";
import { rootDir, runCli, startCli } from "../harness/cli.ts";
import { ensureDemoModels } from "../harness/model-cache.ts";
import { copyOldWorkspace } from "../harness/old-workspace.ts";

const paper = join(rootDir, "resources/sample-corpus/08_Hyperelastics.jl_JOSS-draft.pdf");
let workspace: string;
let old: string;

beforeAll(async () => {
  await ensureTrainerBuilt();
  const { modelCacheDir } = await ensureDemoModels();
  workspace = mkdtempSync(join(tmpdir(), "stages-"));
  old = copyOldWorkspace("0.1.0", modelCacheDir);
}, 600_000);
afterAll(() => {
  for (const dir of [workspace, old]) rmSync(dir, { recursive: true, force: true });
});

const commandIn = (dir: string, ...args: string[]) =>
  runCli(["--workspace", dir, "--json", ...args], { timeoutMs: 900_000 });

function rows<T>(dir: string, sql: string): T[] {
  const db = new Database(join(dir, "studio.db"), { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } finally {
    db.close();
  }
}

const cardOf = (adapterPath: string) =>
  JSON.parse(readFileSync(adapterPath.replace(/\.gguf$/, ".json"), "utf8")) as AdapterCard;

/** Of the tokens of a run's chosen responses. */
function lossShare(runId: string): number {
  const lines = readFileSync(join(workspace, "runs", runId, "pairs.jsonl"), "utf8")
    .trim()
    .split("\n");
  const masks = lines.flatMap((line) => (JSON.parse(line) as { chosen_mask: number[] }).chosen_mask);
  return masks.filter((bit) => bit === 1).length / masks.length;
}

test("three stages of one loss run, go on after kill -9, and give three different adapters", async () => {
  const recipe = join(rootDir, "test/fixtures/recipes/three-masks.yaml");
  expect((await commandIn(workspace, "import", paper)).code).toBe(0);
  const { child, ended } = startCli(["--workspace", workspace, "--json", "run", recipe], { timeoutMs: 900_000 });
  const secondTrains =
    "SELECT 1 FROM training_metric JOIN training_run ON id = run_id WHERE stage = 'half' AND status = 'running' LIMIT 1";
  while (rows(workspace, secondTrains).length === 0 && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill("SIGKILL");
  const killed = await ended;
  expect(killed.signal, `it ended before the moment to kill it:\n${killed.stderr}`).toBe("SIGKILL");

  const { code, stdout, stderr } = await commandIn(workspace, "run", recipe, "--resume");
  expect(code, stderr).toBe(0);
  const { rounds } = JSON.parse(stdout) as ExperimentOutput;
  expect(rounds.map(({ stage, stageIndex, loss, pairs }) => [stage, stageIndex, loss, pairs.nAccepted])).toEqual([
    ["whole", 0, "orpo", 1],
    ["half", 1, "orpo", 1],
    ["answers", 2, "orpo", 1],
  ]);
  const cards = rounds.map(({ run }) => cardOf(run!.adapterPath));
  expect(new Set(cards.map(({ sha256 }) => sha256)).size).toBe(3);
  expect(cards.map(({ stage, loss }) => [stage, loss])).toEqual([
    ["whole", "orpo"],
    ["half", "orpo"],
    ["answers", "orpo"],
  ]);
  for (const { run } of rounds) expect(run!.parity).toBe("passed");
  expect(rows(workspace, "SELECT stage, COUNT(*) AS n FROM training_run GROUP BY stage ORDER BY stage")).toEqual([
    { stage: "answers", n: 1 },
    { stage: "half", n: 1 },
    { stage: "whole", n: 1 },
  ]);
  // all tokens of the chosen response carry loss, then more of the thinking does not, then none of it does
  const [whole, half, answers] = rounds.map(({ run }) => lossShare(run!.runId));
  expect(whole).toBe(1);
  expect(half).toBeLessThan(1);
  expect(answers).toBeLessThan(half!);
}, 1_800_000);

test("an experiment of version 0.1.0 that was killed goes on to its end, and what changed is said", async () => {
  const recipe = join(rootDir, "test/fixtures/workspaces/0.1.0/recipe.yaml");
  const before = rows<{ id: string; question: string }>(old, "SELECT id, question FROM preference_pair ORDER BY id");
  const { code, stdout, stderr } = await commandIn(old, "run", recipe, "--resume");
  expect(code, stderr).toBe(0);
  expect(readdirSync(join(old, "backups"))).toHaveLength(1);
  const { rounds, parity } = JSON.parse(stdout) as ExperimentOutput;
  expect(rounds.map(({ stage, round, run }) => [stage, round, existsSync(run!.adapterPath)])).toEqual([
    ["orpo", 0, true],
    ["orpo", 1, true],
    ["exo", 0, true],
  ]);
  expect(parity).toBe("passed");
  const after = rows<{ id: string; question: string }>(old, "SELECT id, question FROM preference_pair ORDER BY id");
  expect(after.slice(0, before.length)).toEqual(before);
  expect(rows(old, "SELECT 1 FROM job_event WHERE kind = 'recipe_upgraded'").length).toBeGreaterThan(0);
  expect(rows(old, "SELECT 1 FROM job WHERE type = 'experiment.run'")).toHaveLength(1);
}, 1_800_000);
