import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import {
  createJobQueue,
  createJobStore,
  defineJob,
  type JobContext,
  type JobDefinition,
} from "../../../main/engine/jobs/index.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import type { JobRow } from "../../../main/shared/contract/job.ts";
import { AppError } from "../../../main/shared/errors.ts";

let dir: string;
let db: Db;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-jobs-"));
  db = openDatabase(dir);
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

type Run = (context: JobContext<{ n: number }>) => Promise<unknown>;

function job(type: string, run: Run, options: Partial<Pick<JobDefinition, "lane" | "recovery">> = {}): JobDefinition {
  return defineJob({
    type,
    lane: options.lane ?? "cpu",
    recovery: options.recovery ?? "requeue",
    input: z.strictObject({ n: z.number() }),
    title: ({ n }) => `${type} ${n}`,
    run,
  });
}

function openQueue(definitions: JobDefinition[], onChange: (job: JobRow) => void = () => {}) {
  const queue = createJobQueue({
    store: createJobStore(db, Date.now),
    definitions,
    log: createSilentLogger(),
    onChange,
  });
  queue.open();
  return queue;
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });

test("a job runs with its parsed input and its output is kept", async () => {
  const queue = openQueue([job("double", async ({ input }) => ({ result: input.n * 2 }))]);
  const id = queue.enqueue({ type: "double", input: { n: 21 } });
  expect((await queue.wait(id)).output).toEqual({ result: 42 });
  expect(() => queue.enqueue({ type: "double", input: { n: "x" } })).toThrow();
});

test("a failed job keeps code and hint, and waiting for it throws them", async () => {
  const queue = openQueue([
    job("bad", async () => {
      throw new AppError("MODEL_NOT_FOUND", "no model", { hint: "get one" });
    }),
  ]);
  const id = queue.enqueue({ type: "bad", input: { n: 0 } });
  await expect(queue.wait(id)).rejects.toMatchObject({ code: "MODEL_NOT_FOUND", hint: "get one" });
  expect(queue.get(id).error).toMatchObject({ code: "MODEL_NOT_FOUND", hint: "get one" });
});

test("the gpu lane runs one job at a time, in the order of asking", async () => {
  const log: string[] = [];
  const work = job(
    "work",
    async ({ input }) => {
      log.push(`+${input.n}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      log.push(`-${input.n}`);
    },
    { lane: "gpu" },
  );
  const queue = openQueue([work]);
  const ids = [1, 2, 3].map((n) => queue.enqueue({ type: "work", input: { n } }));
  await Promise.all(ids.map((id) => queue.wait(id)));
  expect(log).toEqual(["+1", "-1", "+2", "-2", "+3", "-3"]);
});

test("cancel ends a running job, a waiting one, and survives a crash between intent and end", async () => {
  const hang = job("hang", ({ signal }) => untilAborted(signal), { lane: "gpu" });
  const queue = openQueue([hang]);
  const running = queue.enqueue({ type: "hang", input: { n: 1 } });
  const waiting = queue.enqueue({ type: "hang", input: { n: 2 } });
  queue.cancel(waiting);
  queue.cancel(running);
  await expect(queue.wait(running)).rejects.toMatchObject({ code: "CANCELLED" });
  expect(queue.get(waiting).status).toBe("cancelled");

  const crashed = queue.enqueue({ type: "hang", input: { n: 3 } });
  createJobStore(db, Date.now).requestCancel(crashed); // written down, and then the power went
  const next = openQueue([hang]);
  expect(next.get(crashed).status).toBe("cancelled");
});

test("what a crash left running is queued again or failed with INTERRUPTED, as the job's type says", async () => {
  let attempts = 0;
  const again = job("again", async ({ signal }) => (++attempts === 1 ? untilAborted(signal) : { attempts }));
  const once = job("once", ({ signal }) => untilAborted(signal), { recovery: "fail", lane: "io" });
  const queue = openQueue([again, once]);
  const resumed = queue.enqueue({ type: "again", input: { n: 1 } });
  const lost = queue.enqueue({ type: "once", input: { n: 1 } });
  // no close: a second queue on the same database is what the next process sees
  const next = openQueue([again, once]);
  expect((await next.wait(resumed)).output).toEqual({ attempts: 2 });
  await expect(next.wait(lost)).rejects.toMatchObject({ code: "INTERRUPTED" });
});

test("closing in good order leaves running jobs to the next start", async () => {
  let attempts = 0;
  const work = job("work", async ({ signal }) => (++attempts === 1 ? untilAborted(signal) : { attempts }));
  const queue = openQueue([work]);
  const id = queue.enqueue({ type: "work", input: { n: 1 } });
  await queue.close();
  expect(queue.get(id).status).toBe("queued");
  expect((await openQueue([work]).wait(id)).output).toEqual({ attempts: 2 });
});

test("asking again under the same key finds the job that runs or has succeeded, and replaces one that failed", async () => {
  let runs = 0;
  const work = job("work", async ({ input }) => {
    runs += 1;
    if (input.n === 0) throw new Error("no");
    return { runs };
  });
  const queue = openQueue([work]);
  const request = { type: "work", input: { n: 1 }, idempotencyKey: "k" };
  const first = queue.enqueue(request);
  await queue.wait(first);
  expect(queue.enqueue(request)).toBe(first);
  expect(runs).toBe(1);
  const failing = queue.enqueue({ type: "work", input: { n: 0 }, idempotencyKey: "f" });
  await expect(queue.wait(failing)).rejects.toThrow("no");
  const second = queue.enqueue({ type: "work", input: { n: 2 }, idempotencyKey: "f" });
  expect(second).not.toBe(failing);
  await queue.wait(second);
});

test("a parent gets its children's output, does not run them twice, and takes them along when it is cancelled", async () => {
  let childRuns = 0;
  const child = job("child", async ({ input, signal }) => {
    childRuns += 1;
    return input.n === 2 ? untilAborted(signal) : { n: input.n };
  });
  const parent = job(
    "parent",
    async ({ runChild, input }) => {
      const first = await runChild({ type: "child", input: { n: 1 }, idempotencyKey: "p/1" });
      if (input.n === 1) return first;
      return runChild({ type: "child", input: { n: 2 }, idempotencyKey: "p/2" });
    },
    { lane: "pipeline" },
  );
  const queue = openQueue([child, parent]);
  expect((await queue.wait(queue.enqueue({ type: "parent", input: { n: 1 } }))).output).toEqual({ n: 1 });
  const second = queue.enqueue({ type: "parent", input: { n: 2 } });
  await expect.poll(() => childRuns).toBe(2);
  queue.cancel(second);
  await expect(queue.wait(second)).rejects.toMatchObject({ code: "CANCELLED" });
  await expect.poll(() => queue.list(10).find((row) => row.title === "child 2")?.status).toBe("cancelled");
});

test("progress reaches listeners with n and total, and the last value is stored", async () => {
  const seen: number[] = [];
  const work = job("work", async ({ progress }) => {
    for (let n = 0; n <= 3; n++) progress({ n, total: 3, unit: "steps", message: "" });
  });
  const queue = openQueue([work], (row) => row.progress && seen.push(row.progress.n));
  const id = queue.enqueue({ type: "work", input: { n: 1 } });
  await queue.wait(id);
  expect(seen.at(-1)).toBe(3);
  expect(queue.get(id).progress).toMatchObject({ n: 3, total: 3 });
});
