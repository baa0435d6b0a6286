import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ExperimentOutput } from "../../../main/shared/contract/job-types.ts";
import { fakeLogProbs, makeFakeTrainer } from "../../harness/fake-trainer.ts";
import { createScriptedRunner, type ScriptedRunner } from "../../harness/scripted-runner.ts";
import { createTestEngine, TINY_MODEL, type TestEngine } from "../../harness/test-engine.ts";
import { goodScript, PASSAGES } from "../preference/support.ts";

/** A recipe's own markers go with its pairs, its masks, its adapter, and what the adapter is asked. */
const recipe = join(import.meta.dirname, "../../fixtures/training-cases/thinktags.yaml");
let dir: string;
let engine: TestEngine;
let runner: ScriptedRunner;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "markers-"));
  runner = createScriptedRunner(goodScript);
  engine = await createTestEngine({
    runner: { ...runner, logProbs: fakeLogProbs },
    config: { compute: makeFakeTrainer(dir, { nSteps: 1 }) },
  });
});
afterEach(async () => {
  await engine.close();
  engine.remove();
  rmSync(dir, { recursive: true, force: true });
});

test("with <think> in the recipe the mask lies on the thinking, and reflection thinks between the same", async () => {
  const path = join(dir, "recipe.yaml");
  writeFileSync(path, readFileSync(recipe, "utf8").replaceAll("smollm2-135m-instruct", TINY_MODEL));
  await engine.importPapers(
    PASSAGES.map((text) => [`${text} The effect was found in three batches, and they differed by two percent.`]),
  );
  const job = await engine.finish(await engine.client.training.runRecipe({ recipe: path }));
  const { adapterPath, rounds } = job.output as ExperimentOutput;

  const [pair] = (await engine.client.preference.list({ status: "accepted" })).rows;
  expect(pair!.markers).toMatchObject({ thinkingOpen: "<think>", thinkingClose: "</think>" });
  expect(pair!.chosen.startsWith("<think>\n")).toBe(true);

  const { runId } = rounds[0]!.run!;
  const [line] = readFileSync(join(engine.dir, "workspace", "runs", runId, "pairs.jsonl"), "utf8").split("\n");
  const { chosen, chosen_mask } = JSON.parse(line!) as { chosen: number[]; chosen_mask: number[] };
  const carrying = runner.textOf(chosen.filter((_, i) => chosen_mask[i] === 1));
  expect(carrying.replace("<end>", "")).toBe(pair!.chosen.split("</think>\n")[1]);
  expect(chosen_mask.filter((bit) => bit === 0).length).toBeGreaterThan(20);

  const card = JSON.parse(readFileSync(adapterPath.replace(".gguf", ".json"), "utf8")) as Record<string, unknown>;
  expect(card["markers"]).toEqual(pair!.markers);
  const [adapter] = await engine.client.model.listAdapters({});
  expect(adapter!.markers).toEqual(pair!.markers);
  const asked = { question: "Why?", model: TINY_MODEL, adapter: adapterPath, iterations: 0 };
  const { reflectionId } = await engine.client.reflection.start(asked);
  expect((await engine.client.reflection.get({ reflectionId })).settings["markers"]).toEqual(pair!.markers);
}, 60_000);
