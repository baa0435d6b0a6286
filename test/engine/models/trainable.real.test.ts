import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { packagesDir } from "../../../main/cli/lib/paths.ts";
import { findPackages } from "../../../main/engine/devices/index.ts";
import { inspectModel } from "../../../main/engine/devices/inspect.ts";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";

/** Whether a model can be trained is the trainer's word alone; the program repeats it. */
const fixturesDir = resolve(import.meta.dirname, "../../fixtures");
let inspect: (name: string) => ReturnType<typeof inspectModel>;
beforeAll(async () => {
  const location = { trainerPath: await ensureTrainerBuilt(), ggmlDir: findPackages(packagesDir).at(-1)!.ggmlDir };
  inspect = (name) => inspectModel(location, join(fixturesDir, name));
}, 600_000);

test("every model that there are golden numbers for can be trained, gemma3 up to its window", async () => {
  for (const name of ["", "-tied", "-qwen2", "-qwen3", "-smollm3"])
    expect(await inspect(`reference/model${name}-f32.gguf`)).toEqual({
      trainable: true,
      reason: null,
      slidingWindow: null,
      trainingMemory: null, // no device was named
    });
  const gemma = await inspect("reference/model-gemma3-f32.gguf");
  expect(gemma).toMatchObject({ trainable: true, reason: null });
  expect(gemma.slidingWindow).toBeGreaterThan(0);
});

test("a stretched context (YaRN) is named as what stands in the way", async () => {
  expect(await inspect("models/yarn.gguf")).toMatchObject({ trainable: false, reason: expect.stringMatching(/yarn/i) });
});

test("what is no model to train is an answer with a reason, not a silence", async () => {
  for (const name of [
    "models/mmproj-tiny.gguf",
    "models/tiny-00001-of-00002.gguf",
    "models/tiny-be.gguf",
    "reference/pairs.jsonl",
  ]) {
    const answer = await inspect(name);
    expect(answer.trainable, name).toBe(false);
    expect(answer.reason, name).toMatch(/\w{3}/);
  }
});
