import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../../../main/shared/errors.ts";
import { newDir } from "../preference/support.ts";
import { inquisitiveScript, openPipeline, type Pipeline, writeRecipe } from "./support.ts";

let pipeline: Pipeline;
let dir: string;
let isBroken: boolean;
beforeEach(() => {
  dir = newDir();
  isBroken = true;
  pipeline = openPipeline(inquisitiveScript(), dir, () => {
    if (isBroken) throw new AppError("OUT_OF_MEMORY", "the device is full");
  });
});
afterEach(async () => {
  await pipeline.close();
  pipeline.remove();
});

const broken = async (recipe: string) => {
  const started = await pipeline.start({ recipe });
  await expect(pipeline.finish(started)).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
  return started.experimentId;
};

test("of several unfinished runs of a recipe the newest goes on, and that is said", async () => {
  const recipe = writeRecipe(dir, [{}]);
  await broken(recipe);
  const newest = await broken(recipe);
  isBroken = false;
  const resumed = await pipeline.resume(recipe);
  expect(resumed.experimentId).toBe(newest);
  expect(resumed.notes).toEqual([expect.stringContaining("2 runs of this recipe are unfinished; this is the newest")]);
  expect((await pipeline.finish(resumed)).experimentId).toBe(newest);
});

test("a recipe goes by its content where its file has moved, and by its path where its content has changed", async () => {
  const recipe = writeRecipe(dir, [{}]);
  const experimentId = await broken(recipe);
  const moved = join(dir, "moved.yaml");
  copyFileSync(recipe, moved);
  expect(await pipeline.resume(moved)).toMatchObject({ experimentId, notes: [] });
  writeFileSync(recipe, readFileSync(recipe, "utf8").replace("beta: 0.1", "beta: 0.3"));
  isBroken = false;
  const resumed = await pipeline.resume(recipe);
  expect(resumed).toMatchObject({ experimentId, notes: [expect.stringContaining("has changed since the run began")] });
  await pipeline.finish(resumed);
  expect(pipeline.trained.at(-1)!.settings).toMatchObject({ beta: 0.1 });
});

test("another recipe's run is not gone on with, whatever it is called", async () => {
  const recipe = writeRecipe(dir, [{}]);
  await broken(recipe);
  const other = join(dir, "other.yaml");
  writeFileSync(other, readFileSync(recipe, "utf8").replace("seed: 7", "seed: 8"));
  await expect(pipeline.resume(other)).rejects.toMatchObject({
    code: "NOT_FOUND",
    hint: `Unfinished here: ${recipe}. Without --resume a new run begins.`,
  });
});

test("when all runs have finished the newest one's result is given again", async () => {
  const recipe = writeRecipe(dir, [{}]);
  isBroken = false;
  const first = await pipeline.finish(await pipeline.start({ recipe }));
  const resumed = await pipeline.resume(recipe);
  expect(resumed.notes).toEqual([expect.stringContaining("every run of this recipe has finished")]);
  expect(await pipeline.finish(resumed)).toEqual(first);
  expect(pipeline.trained).toHaveLength(1);
});

test("roles that are given stand in place of the recipe's, and stay with the run", async () => {
  isBroken = false;
  const recipe = writeRecipe(dir, [{}]);
  const started = await pipeline.start({ recipe, roles: { policy: "/models/other.gguf" } });
  await pipeline.finish(started);
  expect(pipeline.trained[0]!.model).toBe("/models/other.gguf");
  const row = pipeline.db
    .prepare<[], { recipe: string; models: string }>("SELECT recipe, models FROM experiment")
    .get()!;
  const teacher = "smollm2-135m-instruct";
  expect(JSON.parse(row.recipe)).toMatchObject({ roles: { teacher, policy: "/models/other.gguf" } });
  expect(JSON.parse(row.models)).toMatchObject({
    teacher: { name: teacher },
    policy: { path: "/models/other.gguf", sha256: "sha256 of /models/other.gguf" },
  });
});

test("the same command again means the run that is under way, unless it names other models", async () => {
  const recipe = writeRecipe(dir, [{}]);
  isBroken = false;
  const first = await pipeline.start({ recipe });
  const again = await pipeline.start({ recipe });
  const other = await pipeline.start({ recipe, roles: { policy: "/models/other.gguf" } });
  expect(again.jobId).toBe(first.jobId);
  expect(again.notes).toEqual([
    expect.stringMatching(new RegExp(`a run of this recipe is under way; .*${first.experimentId}`)),
  ]);
  expect([first.notes, other.notes]).toEqual([[], []]);
  expect(other.jobId).not.toBe(first.jobId);
  await Promise.all([first, other].map(pipeline.finish));
});
