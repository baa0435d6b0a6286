import { afterEach, beforeEach, expect, test } from "vitest";
import { isEnough } from "../../../main/engine/experiment/yield.ts";
import type { Script } from "../../harness/scripted-runner.ts";
import { newDir } from "../preference/support.ts";
import { inquisitiveScript, openPipeline, type Pipeline, writeRecipe } from "./support.ts";

let pipeline: Pipeline | undefined;
let dir: string;
beforeEach(() => void (dir = newDir()));
afterEach(async () => {
  await pipeline?.close();
  pipeline?.remove();
  pipeline = undefined;
});

/** A teacher that asks so many good questions and then none that passes. */
function dryAfter(nQuestions: number): Script {
  const script = inquisitiveScript();
  let n = 0;
  return (request, i) => (request.prefill === "Question:" && n++ >= nQuestions ? "No." : script(request, i));
}

/** A teacher that finds no question in these attempts, counted over the whole run. */
function emptyAttempts(...empty: number[]): Script {
  const script = inquisitiveScript();
  let attempt = -1;
  return (request, i) => {
    if (request.prefill !== "Question:") return script(request, i);
    const isFirstTry = request.sampler.temperature === 0;
    if (isFirstTry) attempt += 1;
    return empty.includes(attempt) ? "No." : script(request, i);
  };
}

const yieldOf = (nAccepted: number) => ({ nAsked: 4, nAccepted, nAttempts: 8, filterCounts: {} });

test("enough is the share of the pairs, rounded up, and never none", () => {
  expect([0, 1, 2, 3, 4].map((n) => isEnough(yieldOf(n), 0.5))).toEqual([false, false, true, true, true]);
  expect([0, 1, 2].map((n) => isEnough(yieldOf(n), 0.26))).toEqual([false, false, true]);
  expect([0, 1].map((n) => isEnough(yieldOf(n), 0))).toEqual([false, true]);
  expect([3, 4].map((n) => isEnough(yieldOf(n), 1))).toEqual([false, true]);
});

test("a round with half of its pairs is trained on them, and says what became of the rest", async () => {
  const recipe = writeRecipe(dir, [{ pairsPerRound: 3 }], { maxAttemptsPerPair: 1 });
  pipeline = openPipeline(dryAfter(2), dir);
  const { jobId } = await pipeline.start({ recipe, key: "under test" });
  const { rounds } = await pipeline.finish({ jobId });
  expect(rounds).toMatchObject([
    { round: 0, pairs: { nAsked: 3, nAccepted: 2, nAttempts: 3, filterCounts: { question_form: 1 } }, run: {} },
  ]);
  const short = pipeline.jobs.get(jobId as never).events.filter(({ kind }) => kind === "round_short");
  expect(short.map(({ payload }) => (payload as { message: string }).message)).toEqual([
    "ORPO round 1 came to 2 of 3 pairs in 3 attempts (question_form × 1): it was trained on them",
  ]);
});

test("what has been said of a round and of the recipe is not said again after a restart", async () => {
  const recipe = writeRecipe(dir, [{ pairsPerRound: 3 }, { name: "next" }], { maxAttemptsPerPair: 1 });
  const untilClosed = (signal: AbortSignal) =>
    new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  /** Up to the training of the second stage, which never ends. */
  const openUpToNext = () => {
    let reach = () => {};
    const isReached = new Promise<void>((resolve) => (reach = resolve));
    pipeline = openPipeline(emptyAttempts(2), dir, async ({ stage }, signal) => {
      if (stage !== "next") return;
      reach();
      await untilClosed(signal);
    });
    return { pipeline, isReached };
  };
  const first = openUpToNext();
  const { jobId } = await first.pipeline.start({ recipe, key: "under test" });
  await first.isReached;
  // as an upgrade of its recipe leaves it
  first.pipeline.db.prepare("UPDATE experiment SET changes = json_array('a setting has another name')").run();
  await first.pipeline.close();
  const second = openUpToNext();
  await second.isReached;
  await second.pipeline.close();
  pipeline = openPipeline(inquisitiveScript(), dir);
  await pipeline.finish({ jobId });
  const { attempt, events } = pipeline.jobs.get(jobId as never);
  expect(attempt).toBe(3);
  const said = events.filter(({ kind }) => kind === "round_short" || kind === "recipe_upgraded");
  expect(said.map(({ kind }) => kind)).toEqual(["round_short", "recipe_upgraded"]);
});

test("a round with fewer is passed over, and the next one asks the adapter from before", async () => {
  const recipe = writeRecipe(dir, [{ pairsPerRound: 1 }, { name: "wide", pairsPerRound: 3, rounds: 2 }], {
    maxAttemptsPerPair: 1,
  });
  // the second and the third attempt of the second stage's first round
  pipeline = openPipeline(emptyAttempts(2, 3), dir);
  const { rounds, adapterPath } = await pipeline.finish(await pipeline.start({ recipe, key: "under test" }));
  expect(rounds.map(({ stage, round, pairs, run }) => [stage, round, pairs.nAccepted, run !== null])).toEqual([
    ["orpo", 0, 1, true],
    ["wide", 0, 1, false],
    ["wide", 1, 3, true],
  ]);
  expect(pipeline.trained.map(({ adapterIn }) => adapterIn)).toEqual([null, rounds[0]!.run!.adapterPath]);
  expect(adapterPath).toBe(rounds[2]!.run!.adapterPath);
});

test("a round without any pair ends the run with the reasons; so does a stage without a round that was enough", async () => {
  const recipe = writeRecipe(dir, [{ pairsPerRound: 3 }], { maxAttemptsPerPair: 1 });
  pipeline = openPipeline(dryAfter(0), dir);
  await expect(pipeline.finish(await pipeline.start({ recipe, key: "under test" }))).rejects.toMatchObject({
    code: "GENERATION_FAILED",
    message: "3 attempts gave 0 of 3 pairs (question_form × 3)",
  });
  await pipeline.close();
  pipeline = openPipeline(dryAfter(1), dir);
  await expect(pipeline.finish(await pipeline.start({ recipe, key: "another" }))).rejects.toMatchObject({
    code: "GENERATION_FAILED",
    message: "No round of ORPO came to 50 % of its pairs: 1 of 3 pairs in 3 attempts (question_form × 2)",
    hint: expect.stringContaining("minPairsShare"),
  });
});
