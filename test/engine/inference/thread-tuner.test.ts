import { expect, test } from "vitest";
import { createThreadTuner, type Work } from "../../../main/engine/inference/host/thread-tuner.ts";

/** A machine on which a token takes so many milliseconds with this many threads. */
function machine(most: number, msPerToken: (threads: number, work: Work) => number) {
  let clock = 0;
  let threads = 0;
  const used: number[] = [];
  const tuner = createThreadTuner({ most, setThreads: (n) => (threads = n), now: () => clock });
  return {
    used,
    clock: () => clock,
    async work(work: Work, nPieces: number, nTokens = 1) {
      for (let i = 0; i < nPieces; i++)
        await tuner.run(work, nTokens, async () => {
          used.push(threads);
          clock += nTokens * msPerToken(threads, work);
        });
    },
  };
}

const shareOf = (used: number[], threads: number) => used.filter((n) => n === threads).length / used.length;

test("two free cores are both used, nearly always", async () => {
  const { used, work } = machine(2, (threads) => 17 / threads);
  await work("token", 400);
  expect(shareOf(used, 2)).toBeGreaterThan(0.95);
});

test("on two busy cores one thread is used, and what the tries of two cost stays small", async () => {
  const { used, work, clock } = machine(2, (threads) => (threads === 1 ? 17 : 500));
  await work("token", 2000);
  expect(shareOf(used, 1)).toBeGreaterThan(0.99);
  expect(clock()).toBeLessThan(1.15 * 2000 * 17);
});

test("a machine that becomes busy and free again is followed", async () => {
  let isBusy = false;
  const { used, work } = machine(4, (threads) => (isBusy && threads > 2 ? 300 : 20 / threads));
  await work("token", 200);
  expect(shareOf(used.slice(-100), 4)).toBeGreaterThan(0.9);
  isBusy = true;
  await work("token", 200);
  expect(shareOf(used.slice(-100), 2)).toBeGreaterThan(0.9);
  isBusy = false;
  await work("token", 2000);
  expect(shareOf(used.slice(-100), 4)).toBeGreaterThan(0.9);
});

test("prompts and tokens have numbers of their own, and one core leaves no choice", async () => {
  const both = machine(4, (threads, kind) => (kind === "prompt" ? 4 / threads : threads));
  await both.work("prompt", 60, 128);
  expect(shareOf(both.used.slice(-30), 4)).toBeGreaterThan(0.7);
  await both.work("token", 60);
  expect(shareOf(both.used.slice(-30), 1)).toBeGreaterThan(0.8);
  const single = machine(1, () => 20);
  await single.work("token", 50);
  expect(new Set(single.used)).toEqual(new Set([1]));
});

test("a piece of work that fails reaches the caller and is no measurement", async () => {
  const tuner = createThreadTuner({ most: 2, setThreads: () => {} });
  await expect(tuner.run("token", 1, () => Promise.reject(new Error("stopped")))).rejects.toThrow("stopped");
});
