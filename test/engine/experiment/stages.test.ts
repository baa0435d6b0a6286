import { readFileSync } from "node:fs";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ExperimentOutput } from "../../../main/shared/contract/job-types.ts";
import { newDir } from "../preference/support.ts";
import { inquisitiveScript, openPipeline, type Pipeline, writeRecipe } from "./support.ts";

let pipeline: Pipeline;
let recipe: string;
beforeEach(() => {
  const dir = newDir();
  recipe = writeRecipe(dir, [
    { name: "whole", mask: "none" },
    { name: "half", mask: { thinking_fraction: 0.5 } },
    { name: "answers", mask: "answer_only", rounds: 2 },
  ]);
  pipeline = openPipeline(inquisitiveScript(), dir);
});
afterEach(async () => {
  await pipeline.close();
  pipeline.remove();
});

function expectThreeStages({ rounds }: ExperimentOutput): void {
  expect(rounds.map(({ stage, stageIndex, loss, round }) => [stage, stageIndex, loss, round])).toEqual([
    ["whole", 0, "orpo", 0],
    ["half", 1, "orpo", 0],
    ["answers", 2, "orpo", 0],
    ["answers", 2, "orpo", 1],
  ]);
  const adapters = rounds.map(({ run }) => readFileSync(run!.adapterPath, "utf8"));
  expect(new Set(adapters).size).toBe(4);
  // each goes on from the one before it
  for (const [i, adapter] of adapters.entries()) if (i > 0) expect(adapter.startsWith(adapters[i - 1]!)).toBe(true);
}

test("three stages of one loss have pairs, runs and adapters of their own", async () => {
  expectThreeStages(await pipeline.finish(await pipeline.start({ recipe })));
  expect(pipeline.trained.map(({ mask, stage, round }) => [stage, round, mask])).toEqual([
    ["whole", 0, "none"],
    ["half", 0, { thinking_fraction: 0.5 }],
    ["answers", 0, "answer_only"],
    ["answers", 1, "answer_only"],
  ]);
  const { rows } = pipeline.preference.handlers.list({}, new AbortController().signal) as {
    rows: { stage: string; loss: string; status: string; id: string }[];
  };
  const accepted = rows.filter(({ status }) => status === "accepted");
  expect(accepted.map(({ stage }) => stage).toSorted()).toEqual(["answers", "answers", "half", "whole"]);
  // the pairs of one stage are not the next one's
  expect(new Set(accepted.map(({ id }) => id)).size).toBe(4);
  const named = (stage: string) => pipeline.preference.api.allAccepted(stage).length;
  expect([named("half"), named("orpo"), named("exo")]).toEqual([1, 4, 0]);
});

test("stopped in any of its parts it goes on and ends as if nothing had happened", async () => {
  const { dir } = pipeline;
  let nStops = 0;
  let jobId: string | undefined;
  // the second training and the third generation are stopped in the middle
  const stopAt = (n: number) => () => {
    if (++nStops === n) throw new Error("the power went out");
  };
  await pipeline.close();
  for (const n of [2, 1, 1]) {
    nStops = 0;
    pipeline = openPipeline(inquisitiveScript(), dir, stopAt(n));
    ({ jobId } = jobId === undefined ? await pipeline.start({ recipe }) : await pipeline.resume(recipe));
    await pipeline.finish({ jobId }).catch(() => {});
    await pipeline.close();
  }
  pipeline = openPipeline(inquisitiveScript(), dir);
  expectThreeStages(await pipeline.finish(await pipeline.resume(recipe)));
  expect(
    pipeline.db.prepare("SELECT stage, round, COUNT(*) AS n FROM training_run GROUP BY stage, round").all(),
  ).toEqual([
    { stage: "answers", round: 0, n: 1 },
    { stage: "answers", round: 1, n: 1 },
    { stage: "half", round: 0, n: 1 },
    { stage: "whole", round: 0, n: 1 },
  ]);
});

test("a loss with a reference compares with the adapter that its stage began with", async () => {
  const { dir } = pipeline;
  const exo = { loss: "exo" as const, label_smoothing: 5e-3, rounds: 2 };
  recipe = writeRecipe(dir, [{ name: "form" }, { name: "first", ...exo }, { name: "second", ...exo }]);
  const { rounds } = await pipeline.finish(await pipeline.start({ recipe }));
  const adapters = rounds.map(({ run }) => run!.adapterPath);
  expect(pipeline.trained.map(({ referenceAdapter }) => referenceAdapter)).toEqual([
    null,
    adapters[0],
    adapters[0],
    adapters[2],
    adapters[2],
  ]);
});
