import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { estimateDisk } from "../../../main/engine/experiment/disk-estimate.ts";
import { filesToDrop } from "../../../main/engine/experiment/keep-files.ts";
import { loadRecipe } from "../../../main/engine/recipe/index.ts";
import { adapterBytes } from "../../../main/engine/training/index.ts";
import type { Keep } from "../../../main/shared/contract/training.ts";
import type { TrainingRunId } from "../../../main/shared/ids.ts";
import { newDir } from "../preference/support.ts";
import { inquisitiveScript, openPipeline, type Pipeline, recipesDir, writeRecipe } from "./support.ts";

let pipeline: Pipeline | undefined;
let dir: string;
beforeEach(() => void (dir = newDir()));
afterEach(async () => {
  await pipeline?.close();
  pipeline?.remove();
  pipeline = undefined;
});

const TWO_STAGES = [
  { name: "form", rounds: 3 },
  { name: "sharpen", loss: "exo" as const, label_smoothing: 5e-3, rounds: 2 },
];
const adapters = () =>
  readdirSync(join(dir, "adapters"))
    .filter((name) => name.endsWith(".gguf"))
    .map((name) => name.replace(/^small-(.*)-\w+\.gguf$/, "$1"))
    .toSorted();
const checkpoints = () =>
  readdirSync(join(dir, "runs")).filter((id) => existsSync(join(dir, "runs", id, "checkpoint.gguf")));

test.each<[Keep, string[]]>([
  ["last", ["sharpen-2"]],
  ["stages", ["form-3", "sharpen-2"]],
  ["all", ["form-1", "form-2", "form-3", "sharpen-1", "sharpen-2"]],
])("keep: %s leaves the adapters of that name, no checkpoint, and the record of every run", async (keep, left) => {
  pipeline = openPipeline(inquisitiveScript(), dir);
  const { rounds } = await pipeline.finish(await pipeline.start({ recipe: writeRecipe(dir, TWO_STAGES, { keep }) }));
  expect(adapters()).toEqual(left);
  expect(checkpoints()).toEqual([]);
  for (const { run } of rounds) expect(readdirSync(join(dir, "runs", run!.runId))).toEqual(["config.json"]);
  const gone = rounds
    .map(({ run }) => basename(run!.adapterPath))
    .filter((name) => !existsSync(join(dir, "adapters", name)));
  expect(new Set(pipeline.forgotten.map((path) => basename(path)))).toEqual(new Set(gone));
  expect(await pipeline.space()).toMatchObject({ freeableBytes: 0 });
});

test("while it goes on, it has the newest checkpoint and the adapters that it needs, also after it was killed", async () => {
  const seen: { adapters: string[]; nCheckpoints: number }[] = [];
  const look = () =>
    void seen.push({
      adapters: existsSync(join(dir, "adapters")) ? adapters() : [],
      nCheckpoints: existsSync(join(dir, "runs")) ? checkpoints().length : 0,
    });
  const recipe = writeRecipe(dir, TWO_STAGES, { keep: "last" });
  pipeline = openPipeline(inquisitiveScript(), dir, () => {
    look();
    if (seen.length === 5) throw new Error("the power went out");
  });
  const started = await pipeline.start({ recipe });
  await pipeline.finish(started).catch(() => {});
  expect(seen).toEqual([
    { adapters: [], nCheckpoints: 0 },
    { adapters: ["form-1"], nCheckpoints: 1 },
    { adapters: ["form-2"], nCheckpoints: 1 },
    { adapters: ["form-3"], nCheckpoints: 1 },
    // the second round of the second stage starts from one adapter and compares with the other
    { adapters: ["form-3", "sharpen-1"], nCheckpoints: 1 },
  ]);
  // nothing that it goes on with can be cleaned away
  expect(await pipeline.clean({ keep: "last" })).toEqual({ freedBytes: 0 });
  await pipeline.close();
  pipeline = openPipeline(inquisitiveScript(), dir);
  await pipeline.finish(await pipeline.resume(recipe));
  expect(adapters()).toEqual(["sharpen-2"]);
});

test("what an earlier version has left is shown, and freed when it is asked for", async () => {
  pipeline = openPipeline(inquisitiveScript(), dir);
  await pipeline.finish(await pipeline.start({ recipe: writeRecipe(dir, TWO_STAGES, { keep: "all" }) }));
  const before = await pipeline.space({ keep: "last" });
  expect(before.runs.map(({ stage, round, freeableBytes }) => [stage, round, freeableBytes > 0])).toEqual([
    ["sharpen", 1, false],
    ["sharpen", 0, true],
    ["form", 2, true],
    ["form", 1, true],
    ["form", 0, true],
  ]);
  expect(await pipeline.clean({ keep: "last" })).toEqual({ freedBytes: before.freeableBytes });
  expect(await pipeline.space({ keep: "last" })).toMatchObject({
    totalBytes: before.totalBytes - before.freeableBytes,
    freeableBytes: 0,
  });
  expect(adapters()).toEqual(["sharpen-2"]);
});

test("runs that were stopped or failed keep everything", () => {
  const run = (id: string, round: number, status: "succeeded" | "failed") => ({
    id: id as TrainingRunId,
    stageIndex: 0,
    round,
    status,
  });
  const drops = filesToDrop([run("a", 0, "succeeded"), run("b", 1, "failed")], { keep: "stages", isUnfinished: true });
  expect([...drops]).toEqual([["a", new Set(["copy"])]]);
});

/** Llama 3.2 3B: 28 layers of width 3072, 1024 for keys and values, 8192 within the feed-forward part. */
const LLAMA_3B = Array.from({ length: 28 }, (_, i) =>
  Object.entries({
    attn_q: [3072, 3072],
    attn_k: [3072, 1024],
    attn_v: [3072, 1024],
    attn_output: [3072, 3072],
    ffn_gate: [3072, 8192],
    ffn_up: [3072, 8192],
    ffn_down: [8192, 3072],
  }).map(([name, shape]) => ({ name: `blk.${i}.${name}.weight`, shape })),
).flat();

test("the paper's recipe on a 3B model: 5.8 GB at most and 0.8 GB in the end, where it was 195 GB", () => {
  const recipe = loadRecipe("paper", recipesDir);
  // the estimate reads names and shapes alone
  const bytes = adapterBytes({ tensors: LLAMA_3B } as never, recipe.stages[0]!.lora);
  expect(bytes).toBe(389_021_696);
  const nRounds = 100;
  // before: an adapter, the trainer's copy of it and a checkpoint of three times its size for every round
  expect((5 * nRounds * bytes) / 1e9).toBeCloseTo(194.5, 1);
  const { runningBytes, keptBytes } = estimateDisk(recipe, bytes);
  expect(runningBytes / 1e9).toBeCloseTo(5.8, 1);
  expect(keptBytes / 1e9).toBeCloseTo(0.8, 1);
});
