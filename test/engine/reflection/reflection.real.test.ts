import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import { createHostEmbedder } from "../../../main/engine/embedding/index.ts";
import { createJobQueue, createJobStore, type JobQueue } from "../../../main/engine/jobs/index.ts";
import { newId } from "../../../main/engine/lib/ids.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import { contentWords } from "../../../main/engine/lib/text.ts";
import { createReflection } from "../../../main/engine/reflection/index.ts";
import { reviseByLines } from "../../../main/engine/small-models/index.ts";
import type { SearchHit } from "../../../main/shared/contract/corpus.ts";
import { splitSentences } from "../../../main/shared/sentences.ts";
import type { ChunkId, DocumentId } from "../../../main/shared/ids.ts";
import { type DemoModels, ensureDemoModels } from "../../harness/model-cache.ts";
import { startTestHost } from "../../harness/model-host.ts";

const PASSAGES = [
  "Microwave heating reduces graphene oxide while LiFePO4 crystallises on it. The graphene sheets form a conductive network that carries electrons to every LiFePO4 particle of the cathode. This network raises the rate capability of the cathode.",
  "Lithium ions diffuse slowly in LiFePO4. Small LiFePO4 particles shorten the diffusion path of lithium ions, so that the cathode keeps its capacity at high rates. Large particles lose capacity when the current rises.",
];
const QUESTION = "How does graphene improve the rate capability of LiFePO4 cathodes?";

const { host, runner, kill } = startTestHost();
let models: DemoModels;
let dir: string;
let db: Db;
beforeAll(async () => {
  models = await ensureDemoModels();
});
afterAll(() => host.stop());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-reflect-real-"));
  db = openDatabase(dir);
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

const hits = PASSAGES.map((text, i): SearchHit => ({
  chunkId: newId<ChunkId>(),
  documentId: newId<DocumentId>(),
  path: "paper.pdf",
  title: "A paper",
  page: i + 1,
  start: 0,
  end: text.length,
  text,
  score: 1,
  ranks: { vector: i + 1, text: null },
}));

async function reflect(onText: (text: string) => void = () => {}) {
  let queue: JobQueue | undefined;
  const reflection = createReflection({
    db,
    runner,
    embedder: createHostEmbedder(host, models.embedderDir),
    corpus: { search: () => ({ hits, tookMs: 0, warning: null }) },
    models: {
      resolveModel: (name) => ({
        name,
        path: models.chatModelPath,
        sha256: "0".repeat(64),
        facts: { nParameters: 1.34e8 },
        markers: null,
      }),
      resolveAdapter: () => Promise.reject(new Error("no adapter here")),
    },
    reviseByLines,
    promptsDir: resolve(import.meta.dirname, "../../../resources/prompts"),
    clock: Date.now,
    log: createSilentLogger(),
    emit: (name, payload) => {
      if (name === "reflection.text") onText((payload as { text: string }).text);
    },
    enqueue: (request) => queue!.enqueue(request),
  });
  queue = createJobQueue({
    store: createJobStore(db, Date.now),
    definitions: reflection.jobs,
    log: createSilentLogger(),
    onChange: () => {},
  });
  queue.open();
  const { reflectionId, jobId } = await reflection.api.start({
    question: QUESTION,
    model: "smollm2",
    iterations: 1,
    retrieve: true,
    seed: 3,
  });
  await queue.wait(jobId);
  await queue.close();
  return { detail: reflection.api.get(reflectionId), calls: reflection.api.calls(reflectionId).flat() };
}

test("a real model's thinking grows by facts of the corpus, and the same seed gives the same texts, even over a killed host", async () => {
  const first = await reflect();
  const [draft, revised] = first.detail.iterations;
  expect(draft!.thinking).toMatch(/^Reasoning Steps:\n- /);
  expect(draft!.answer).not.toBe("");
  expect(revised!.thinking.startsWith(draft!.thinking)).toBe(true);
  expect(revised!.critique.length).toBeGreaterThan(0);
  // which points are acted on depends on the tokens, and so on the processor; what the links say does not
  const nDraft = splitSentences(draft!.thinking).length;
  const nRevised = splitSentences(revised!.thinking).length;
  for (const { actedOn, changedSentences } of revised!.critique) {
    expect(actedOn).toBe(changedSentences.length > 0);
    expect(changedSentences.every((sentence) => sentence >= nDraft && sentence < nRevised)).toBe(true);
  }
  const added = revised!.thinking.slice(draft!.thinking.length);
  const known = new Set(contentWords(PASSAGES.join(" ")));
  const fromCorpus = contentWords(added).filter((word) => known.has(word));
  expect(fromCorpus.length / contentWords(added).length).toBeGreaterThan(0.6);
  expect(revised!.metrics.thinkingSimilarity).toBeGreaterThan(0);
  expect(first.detail.settings).toMatchObject({ seed: 3, runner: { threads: expect.any(Number) as number } });

  let hasKilled = false;
  const second = await reflect(() => {
    if (!hasKilled) kill();
    hasKilled = true;
  });
  expect(hasKilled).toBe(true);
  const written = (calls: typeof first.calls) =>
    calls.map(({ task, attempt, text, sampler }) => ({ task, attempt, text, seed: sampler.seed }));
  expect(written(second.calls)).toEqual(written(first.calls));
});
