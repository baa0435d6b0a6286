import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import type { Embedder } from "../../../main/engine/embedding/index.ts";
import type { GenerateRequest, ModelRunner } from "../../../main/engine/inference/index.ts";
import {
  createJobQueue,
  createJobStore,
  type EnqueueRequest,
  type JobDefinition,
} from "../../../main/engine/jobs/index.ts";
import { newId } from "../../../main/engine/lib/ids.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import {
  createPreference,
  type PairCorpus,
  type Preference,
  type PairWriter,
} from "../../../main/engine/preference/index.ts";
import { linesWriter } from "../../../main/engine/small-models/index.ts";
import type { ChunkRow } from "../../../main/shared/contract/corpus.ts";
import type { PairRow } from "../../../main/shared/contract/preference.ts";
import type { ChunkId, DocumentId, JobId } from "../../../main/shared/ids.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";
import { createScriptedRunner, type Script } from "../../harness/scripted-runner.ts";

const resourcesDir = join(import.meta.dirname, "../../../resources");

export const PASSAGES = [
  "Graphene sheets wrap the particles of the cathode and improve its electrical conductivity. Small particles shorten the path of lithium ions, which increases the rate capability of the cathode. The porous network allows the electrolyte to reach the particles. Agglomerated particles reduce the contact between cathode and electrolyte.",
  "Slow cooling of the alloy promotes the growth of coarse precipitates at grain boundaries. Coarse precipitates reduce the hardness of the alloy because they consume dissolved silicon. Rapid quenching prevents precipitation and leads to a supersaturated solution. Ageing of the supersaturated solution improves the strength of the alloy.",
  "Collagen in the cuticle protects the worm and prevents bacteria from entering its body. Loss of the editing enzyme decreases the expression of collagen genes. Worms with damaged cuticle show reduced survival after infection. Feeding the worms with killed bacteria increases the thickness of the cuticle.",
];

/** What a well-behaved tiny model would say, by the beginning that the prompt gives it. */
export const goodScript: Script = ({ messages, prefill }) => {
  const prompt = messages.at(-1)!.content;
  const about = (text: string) =>
    PASSAGES.findIndex((passage) => passage.split(". ").some((s) => text.includes(s.slice(0, 40))));
  if (prefill === "Question:") return ` ${QUESTIONS[about(prompt)]!}`;
  if (prefill === "Fact:") return ` ${/Sentence: (.*)/.exec(prompt)![1]!}`;
  if (prefill === "To") return " get the best result, choose the process with care.";
  if (prefill === "If") return " the process is changed, then the result should change.";
  if (prefill === "Answer:") return ` ${ANSWERS[about(prompt)]!}`;
  return "Many factors matter here, and in general it depends on the conditions that were chosen.";
};

export const QUESTIONS = [
  "How do graphene sheets improve the electrical conductivity of the cathode?",
  "Why do coarse precipitates reduce the hardness of the alloy?",
  "How does collagen in the cuticle protect the worm from bacteria?",
];

const ANSWERS = [
  "Graphene sheets wrap the particles and carry electrons between them. Small particles shorten the path of lithium ions, so the rate capability increases as well.",
  "Coarse precipitates consume dissolved silicon, so less of it strengthens the alloy. Slow cooling promotes their growth at grain boundaries.",
  "Collagen keeps the cuticle whole, so that bacteria cannot enter the body. Worms with damaged cuticle have reduced survival after infection.",
];

export const isRejectedPrompt = ({ prefill }: GenerateRequest) => prefill === undefined;

/** A workspace with real SQLite, a corpus of three passages and a model that follows the script. */
export function openWorkspace(
  script: Script = goodScript,
  dir = newDir(),
  options: Partial<Omit<Given, "runner" | "embedder" | "dir">> = {},
) {
  const runner = createScriptedRunner(script);
  const resolveModel = (ref: string) => ({ name: ref, path: `/models/${ref}.gguf`, sha256: `sha256 of ${ref}` });
  return { ...openWith({ runner, embedder: createFakeEmbedder(), resolveModel, dir, ...options }), runner };
}

export const newDir = () => mkdtempSync(join(tmpdir(), "preflexor-pairs-"));

type Given = {
  runner: ModelRunner;
  embedder: Embedder;
  resolveModel(ref: string): { name: string; path: string; sha256: string };
  dir: string;
  linesWriter?: PairWriter;
  passages?: string[];
  nParameters?: number | null;
  /** Jobs of rooms above preference. */
  jobsAbove?(made: { db: Db; preference: Preference; enqueue(request: EnqueueRequest): JobId }): JobDefinition[];
};

export function openWith(given: Given) {
  const { runner, embedder, dir, nParameters = 135e6 } = given;
  const db = openDatabase(dir);
  const followedUp: PairRow[] = [];
  const emitted: unknown[] = [];
  const enqueue = (request: EnqueueRequest): JobId => jobs.enqueue(request);
  const preference = createPreference({
    db,
    runner,
    embedder,
    corpus: createFixedCorpus(given.passages ?? PASSAGES),
    models: { resolveModel: (ref) => ({ ...given.resolveModel(ref), facts: { nParameters } }) },
    linesWriter: given.linesWriter ?? linesWriter,
    promptsDir: join(resourcesDir, "prompts"),
    recipesDir: join(resourcesDir, "recipes"),
    clock: Date.now,
    emit: (name, payload) => void emitted.push([name, payload]),
    enqueue,
    onPair: (pair) => void followedUp.push(pair),
  });
  const jobs = createJobQueue({
    store: createJobStore(db, Date.now),
    definitions: [...preference.jobs, ...(given.jobsAbove?.({ db, preference, enqueue }) ?? [])],
    log: createSilentLogger(),
    onChange: () => {},
  });
  jobs.open();
  return {
    dir,
    db,
    preference,
    jobs,
    followedUp,
    emitted,
    async close() {
      await jobs.close();
      closeDatabase(db);
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const ID_TIME = 1_700_000_000_000;
const documentId = newId<DocumentId>(ID_TIME);
const chunkIds = PASSAGES.map((_, ordinal) => newId<ChunkId>(ID_TIME + ordinal));

function createFixedCorpus(passages: string[]): PairCorpus {
  const chunks: ChunkRow[] = passages.map((text, ordinal) => ({
    id: chunkIds[ordinal]!,
    documentId,
    ordinal,
    page: ordinal + 1,
    start: 0,
    end: text.length,
    text,
    nTokens: 60,
    isReferences: false,
  }));
  const getChunk = (id: ChunkId) => chunks.find((chunk) => chunk.id === id)!;
  return {
    eligibleChunks: () => ({ count: chunks.length, at: (index) => chunks[index]!.id }),
    getChunk,
    widenChunk(id) {
      const { text, page, start, end } = getChunk(id);
      return { documentId, text, spans: [{ chunkId: id, page, start, end, at: 0 }] };
    },
    nearestChunks: async (_text, k) => chunks.slice(0, k).map((chunk, i) => ({ ...chunk, similarity: 0.9 - i / 10 })),
    chunkSpan: (id) => ({ ...getChunk(id), title: "A paper" }),
  };
}
