import { afterEach, expect, test } from "vitest";
import { JobInputs, outputOf } from "../../../main/shared/contract/job-types.ts";
import { createTestEngine, type TestEngine } from "../../harness/test-engine.ts";

let engine: TestEngine | undefined;
afterEach(async () => {
  await engine?.close();
  engine?.remove();
});

test("lists and events carry no output, and job.get gives it with its type", async () => {
  engine = await createTestEngine();
  await engine.importPapers([["Graphene sheets conduct electrons."]]);
  const [row] = await engine.client.job.list({});
  expect(row).toMatchObject({ type: "corpus.import", status: "succeeded", about: null });
  expect(row).not.toHaveProperty("output");
  const announced = engine.events.filter(({ name }) => name === "job.changed").map(({ payload }) => payload);
  expect(announced.length).toBeGreaterThan(0);
  for (const payload of announced) expect((payload as { job: object }).job).not.toHaveProperty("output");

  const job = await engine.client.job.get({ jobId: row!.id });
  expect(outputOf(job, "corpus.import").documents).toMatchObject([{ title: "Paper 1", status: "ready", nPages: 1 }]);
  expect(() => outputOf(job, "training.run")).toThrow(/type corpus.import/);
});

test("every job that the engine knows has its line in the table", async () => {
  engine = await createTestEngine();
  for (const type of Object.keys(JobInputs))
    expect(() => engine!.rooms.jobs.enqueue({ type, input: { not: "this" } })).toThrow(/unrecognized|invalid/i);
  expect(() => engine!.rooms.jobs.enqueue({ type: "no.such", input: {} })).toThrow("no job of type no.such");
});
