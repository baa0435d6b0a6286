import { afterEach, expect, test } from "vitest";
import { AppError } from "../../main/shared/errors.ts";
import type { DocumentId } from "../../main/shared/ids.ts";
import type { Script } from "../harness/scripted-runner.ts";
import { createTestEngine, type TestEngine, type TestEngineOptions, TINY_MODEL } from "../harness/test-engine.ts";
import { goodScript, PASSAGES } from "./preference/support.ts";

const opened: TestEngine[] = [];
afterEach(async () => {
  for (const engine of opened.splice(0)) {
    await engine.close();
    engine.remove();
  }
});

async function open(options: TestEngineOptions = { script: goodScript }): Promise<TestEngine> {
  const engine = await createTestEngine(options);
  opened.push(engine);
  return engine;
}

/** Papers of one page, long enough for a question to be asked about it. */
const PAPERS = PASSAGES.map((text) => [
  `${text} The effect was found in three batches of samples, and the batches differed by less than two percent.`,
]);
const pairs = { count: 2, seed: 3, teacher: TINY_MODEL, policy: TINY_MODEL };

test("pages become chunks, chunks become pairs, and their thinking is in the graph with its paper", async () => {
  const { client, importPapers, finish } = await open();
  await importPapers(PAPERS);
  expect(await client.workspace.status({})).toMatchObject({ nDocuments: 3, nChunks: 3, nModels: 1 });
  await finish(await client.preference.generate(pairs));
  const { rows } = await client.preference.list({ status: "accepted" });
  expect(rows).toHaveLength(2);
  const { relations } = await client.graph.get({});
  const evidence = await client.graph.evidence({ relationId: relations[0]!.id });
  expect(rows.map(({ id }) => id as string)).toContain(evidence[0]!.sourceId);
  const { documentId, page, title, chunkId } = evidence[0]!;
  const { chunks } = await client.corpus.getPage({ documentId: documentId as DocumentId, page: page! });
  expect(chunks.map(({ id }) => id)).toEqual([chunkId]);
  expect(title).toMatch(/^Paper [123]$/);
});

test("what a closed engine leaves is gone on with by the next one in its workspace", async () => {
  let nQuestions = 0;
  const interrupted: Script = (request, i) => {
    if (request.prefill === "Question:" && ++nQuestions === 2) throw new AppError("INTERRUPTED", "the power went out");
    return goodScript(request, i);
  };
  const first = await open({ script: interrupted });
  await first.importPapers(PAPERS);
  await expect(first.finish(await first.client.preference.generate(pairs))).rejects.toThrow("the power went out");
  await expect(createTestEngine({ dir: first.dir })).rejects.toMatchObject({ code: "WORKSPACE_LOCKED" });
  opened.pop();
  await first.close();

  const second = await open({ script: goodScript, dir: first.dir });
  await second.finish(await second.client.preference.generate(pairs));
  expect((await second.client.preference.list({ status: "accepted" })).rows).toHaveLength(2);
  expect(second.events.map(({ name }) => name)).toEqual(expect.arrayContaining(["preference.changed", "job.changed"]));
});

test("a model that no script speaks for is not asked in silence", async () => {
  const { client, importPapers, finish } = await open({});
  await importPapers(PAPERS);
  await expect(finish(await client.preference.generate(pairs))).rejects.toThrow(/no script/);
});
