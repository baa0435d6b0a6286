import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureTrainerBuilt } from "../../native-trainer/build.ts";
import { type CliResult, rootDir, runCli, startCli } from "../harness/cli.ts";
import { ensureDemoModels } from "../harness/model-cache.ts";

/**
 * One workspace through the whole chain, with a kill -9 of every process in turn and without a network: what the same
 * command finds afterwards is neither lost nor done twice.
 */
const paper = join(rootDir, "resources/sample-corpus/04_reed-flower-carbon_Nanomaterials2020.pdf");
const recipe = join(rootDir, "test/fixtures/recipes/one-round-each.yaml");
let workspace: string;
let socketLog: string;

beforeAll(async () => {
  workspace = mkdtempSync(join(tmpdir(), "interrupted-"));
  socketLog = join(workspace, "sockets.log");
  writeFileSync(socketLog, "");
  await ensureTrainerBuilt();
  await ensureDemoModels();
}, 600_000);
afterAll(() => rmSync(workspace, { recursive: true, force: true }));

const offline = () => ({
  timeoutMs: 600_000,
  env: {
    NODE_OPTIONS: `--import ${pathToFileURL(join(rootDir, "test/harness/refuse-sockets.mjs")).href}`,
    PREFLEXOR_TEST_SOCKET_LOG: socketLog,
  },
});
const start = (...args: string[]) => startCli(["--workspace", workspace, "--json", ...args], offline());
const finish = (...args: string[]) => runCli(["--workspace", workspace, "--json", ...args], offline());

function rows<T>(sql: string): T[] {
  const path = join(workspace, "studio.db");
  if (!existsSync(path)) return [];
  const db = new Database(path, { readonly: true });
  try {
    return db.prepare(sql).all() as T[];
  } catch {
    return []; // the tables may not have been made yet
  } finally {
    db.close();
  }
}

/** SIGKILL to the command itself as soon as the query finds something. */
async function killWhen(sql: string, ...args: string[]): Promise<CliResult> {
  const { child, ended } = start(...args);
  while (rows(sql).length === 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  child.kill("SIGKILL");
  const result = await ended;
  expect(result.signal, `it ended before the moment to kill it:\n${result.stdout}\n${result.stderr}`).toBe("SIGKILL");
  return result;
}

/** SIGKILL to a process that the command started. */
function killChild(parentPid: number, needle: string): boolean {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (Number(parent) === parentPid && command.includes(needle)) return process.kill(Number(pid), "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error; // it may be gone by now
    }
  }
  return false;
}

test("an import killed while it embeds goes on where it was", async () => {
  await killWhen("SELECT 1 FROM chunk_embedding LIMIT 1", "import", paper);
  const before = rows<{ n: number }>("SELECT COUNT(*) AS n FROM chunk_embedding")[0]!.n;
  const { code, stderr } = await finish("import", paper);
  expect(code, stderr).toBe(0);
  expect(rows("SELECT 1 FROM document")).toHaveLength(1);
  const [counts] = rows<{ chunks: number; vectors: number }>(
    "SELECT (SELECT COUNT(*) FROM chunk) AS chunks, (SELECT COUNT(*) FROM chunk_embedding) AS vectors",
  );
  expect(counts!.vectors).toBe(counts!.chunks);
  expect(before).toBeLessThan(counts!.chunks);
}, 300_000);

test("a recipe killed after its first pair, then in training, ends as if nothing had happened", async () => {
  await killWhen("SELECT 1 FROM preference_pair WHERE status = 'accepted' LIMIT 1", "run", recipe);
  const firstPair = rows<{ id: string }>("SELECT id FROM preference_pair ORDER BY created_at LIMIT 1")[0]!.id;
  await killWhen("SELECT 1 FROM training_metric LIMIT 1", "run", recipe, "--resume");
  const { code, stdout, stderr } = await finish("run", recipe, "--resume");
  expect(code, stderr).toBe(0);
  const output = JSON.parse(stdout) as { adapterPath: string; parity: string };
  expect(output.parity).toBe("passed");
  expect(existsSync(output.adapterPath)).toBe(true);

  const pairs = rows<{ id: string; stage: string; ordinal: number; status: string }>(
    "SELECT id, stage, ordinal, status FROM preference_pair ORDER BY stage DESC, ordinal",
  );
  expect(pairs.map((pair) => pair.id)).toContain(firstPair);
  for (const [stage, nAccepted] of [
    ["orpo", 2],
    ["exo", 1],
  ] as const) {
    const ofStage = pairs.filter((pair) => pair.stage === stage);
    expect(ofStage.map((pair) => pair.ordinal)).toEqual(ofStage.map((_, i) => i));
    expect(ofStage.filter((pair) => pair.status === "accepted")).toHaveLength(nAccepted);
  }
  expect(rows("SELECT stage, status FROM training_run ORDER BY started_at")).toEqual([
    { stage: "orpo", status: "succeeded" },
    { stage: "exo", status: "succeeded" },
  ]);
  const steps = rows<{ stage: string; step: number }>(
    "SELECT stage, step FROM training_metric JOIN training_run ON id = run_id WHERE name = 'loss' ORDER BY started_at, step",
  );
  expect(steps).toEqual([
    ...[1, 2, 3, 4].map((step) => ({ stage: "orpo", step })),
    ...[1, 2].map((step) => ({ stage: "exo", step })),
  ]);
  expect(rows("SELECT 1 FROM job WHERE type = 'experiment.run'")).toHaveLength(1);
}, 900_000);

test("the trainer's death is noticed, named in the job's history, and gone on from", async () => {
  const out = join(workspace, "again.gguf");
  const settings = ["epochs=3", "lora.r=4", "gradient_accumulation_steps=1", "max_length=320"];
  const { child, ended } = start(
    "train",
    `--stage=orpo`,
    `--model=smollm2-135m-instruct`,
    `--pairs=ledger`,
    `--out=${out}`,
    ...settings.flatMap((setting) => ["--set", setting]),
  );
  const metric = "SELECT 1 FROM training_metric JOIN training_run ON id = run_id WHERE experiment_id IS NULL LIMIT 1";
  while (rows(metric).length === 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(killChild(child.pid!, "native-trainer")).toBe(true);
  const { code, stderr } = await ended;
  expect(code, stderr).toBe(0);
  const [crash] = rows<{ payload: string }>("SELECT payload FROM job_event WHERE kind = 'trainer_crashed'");
  expect(JSON.parse(crash!.payload)).toMatchObject({ message: expect.stringContaining("SIGKILL") });
  expect(existsSync(out)).toBe(true);
}, 600_000);

test("the model host's death in the middle of an answer is gone on from, without a network", async () => {
  const question = "What does the pore structure of the carbon do?";
  const { child, ended } = start(
    "reflect",
    question,
    "--model=smollm2-135m-instruct",
    "--iterations=1",
    "--retrieve",
    "--seed=5",
  );
  let isKilled = false;
  while (!isKilled && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    isKilled = killChild(child.pid!, "inference/host");
  }
  const { code, stdout, stderr } = await ended;
  expect(isKilled).toBe(true);
  expect(code, stderr).toBe(0);
  const detail = JSON.parse(stdout) as { iterations: { answer: string }[] };
  expect(detail.iterations.length).toBeGreaterThanOrEqual(1);
  for (const iteration of detail.iterations) expect(iteration.answer).not.toBe("");
}, 300_000);

test("none of this tried to reach the network", () => {
  expect(readFileSync(socketLog, "utf8")).toBe("");
  expect(rows("SELECT host FROM network_call")).toEqual([]);
});

test("it works where there is no network", ({ skip }) => {
  // a name space without any interface: even an attempt that the hook does not see would fail
  const args = [
    "-rn",
    process.execPath,
    "main/cli/preflexor.mjs",
    "--workspace",
    workspace,
    "--json",
    "search",
    "pores",
  ];
  const isolated = spawnSync("unshare", args, {
    cwd: rootDir,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const isRefused = isolated.error !== undefined || isolated.stderr.includes("Operation not permitted");
  skip(isRefused, "a name space of its own (unshare) is not allowed here");
  expect(isolated.status, isolated.stderr).toBe(0);
  expect((JSON.parse(isolated.stdout) as { hits: unknown[] }).hits.length).toBeGreaterThan(0);
});
