import { existsSync } from "node:fs";
import { join } from "node:path";
import { engineContract, type EngineHandlers } from "../shared/contract/index.ts";
import type { PairRow } from "../shared/contract/preference.ts";
import type { Port } from "../shared/rpc/port.ts";
import type { EngineConfig } from "./config.ts";
import { type Corpus, createCorpus } from "./corpus/index.ts";
import { closeDatabase, type Db, lockWorkspace, openDatabase } from "./db/index.ts";
import { createDevices } from "./devices/index.ts";
import { createHostEmbedder } from "./embedding/index.ts";
import type { Emit } from "./lib/events.ts";
import { createExperiment } from "./experiment/index.ts";
import { createGraph, type Graph } from "./graph/index.ts";
import { createModelHost, createModelRunner } from "./inference/index.ts";
import { createJobQueue, createJobStore, type EnqueueRequest, type JobQueue } from "./jobs/index.ts";
import { systemClock } from "./lib/clock.ts";
import { createModels, type Models } from "./models/index.ts";
import { createPreference, type Preference } from "./preference/index.ts";
import { createReflection, type Reflection } from "./reflection/index.ts";
import { createRpcServer } from "./rpc/index.ts";
import { linesWriter, reviseByLines } from "./small-models/index.ts";
import { createTraining, type Training } from "./training/index.ts";
import { createWorkspaceHandlers } from "./workspace.ts";

export type { EngineConfig } from "./config.ts";

export type Engine = {
  /** Answers the contract on this port until it closes. */
  serve(port: Port): void;
  /** Stops running jobs so that the next start goes on with them, ends the model host and closes the database. */
  close(): Promise<void>;
  /** The rooms as they were wired, for who lives in this process and looks below the contract: the tests. */
  rooms: Rooms;
};

type Rooms = {
  db: Db;
  jobs: JobQueue;
  corpus: Corpus;
  graph: Graph;
  models: Models;
  preference: Preference;
  reflection: Reflection;
  training: Training;
};

/**
 * Wires every service by hand, in the order in which they stand on each other.
 * Errors: WORKSPACE_LOCKED, DB_TOO_NEW, DB_CORRUPT.
 */
export async function createEngine(config: EngineConfig): Promise<Engine> {
  const { workspaceDir, resourcesDir, log } = config;
  const clock = config.clock ?? systemClock;
  const lock = lockWorkspace(workspaceDir);
  const db = openLocked(workspaceDir, lock);

  // the queue and the server need every domain, and every domain announces and enqueues
  let queue: JobQueue | undefined;
  let server: { broadcast(name: string, payload: unknown): void } | undefined;
  const emit: Emit = (name, payload) => server?.broadcast(name, payload);
  const openQueue = () => {
    if (!queue) throw new Error("a job was enqueued before the engine was complete");
    return queue;
  };
  const enqueue = (request: EnqueueRequest) => openQueue().enqueue(request);
  const base = { db, clock, log, emit, enqueue };

  const host = createModelHost({ startHost: config.startHost });
  const devices = createDevices({ db, config: config.compute, changed: () => emit("device.changed", {}) });
  const promptsDir = join(resourcesDir, "prompts");
  const recipesDir = join(resourcesDir, "recipes");
  const sampleCorpusDir = join(resourcesDir, "sample-corpus");
  const models = createModels({
    ...base,
    trainer: devices.api.inspector,
    resourcesDir,
    modelCacheDir: config.modelCacheDir,
  });
  const runner = createModelRunner(host, devices.api.inferenceGpu, models.api.chatTemplateOf);
  const embedder = createHostEmbedder(host, models.api.embedderDir());
  const corpus = createCorpus({
    ...base,
    embedder,
    workspaceDir,
    sampleCorpusDir,
    pdfWorkerPath: config.pdfWorkerPath,
  });
  const graph = createGraph({
    ...base,
    corpus: corpus.api,
    listPairsForGraph: () => preference.api.allAccepted().map(graphPairOf),
  });
  // what every domain needs that asks a model about the corpus
  const asking = { ...base, runner, embedder, corpus: corpus.api, models: models.api, promptsDir };
  const reflection = createReflection({ ...asking, reviseByLines });
  const preference = createPreference({
    ...asking,
    linesWriter,
    recipesDir,
    onPair: (pair) => graph.api.addPairThinking(graphPairOf(pair)),
  });
  // the graph grows through all stages, while a pair's own round starts anew in each
  const graphPairOf = (pair: PairRow) => ({ ...pair, round: preference.api.growthRound(pair.id) });
  const training = createTraining({
    ...base,
    runner,
    models: models.api,
    preference: preference.api,
    devices: devices.api,
    workspaceDir,
    resourcesDir,
    jobs: openQueue,
  });
  const experiment = createExperiment({
    db,
    models: models.api,
    preference: preference.api,
    training: training.api,
    recipesDir,
    workspaceDir,
    enqueue,
  });

  const jobs = createJobQueue({
    store: createJobStore(db, clock),
    definitions: [
      ...models.jobs,
      ...corpus.jobs,
      ...graph.jobs,
      ...reflection.jobs,
      ...preference.jobs,
      ...training.jobs,
      ...experiment.jobs,
    ],
    log,
    onChange: (job) => emit("job.changed", { job }),
  });
  queue = jobs;

  const handlers: EngineHandlers = {
    workspace: createWorkspaceHandlers({
      db,
      config,
      isEmbedderPresent: () => existsSync(join(models.api.embedderDir(), "onnx", "model_quantized.onnx")),
      sampleCorpusAvailable: existsSync(sampleCorpusDir),
    }),
    device: {
      ...devices.handlers,
      checkInference: () => runner.facts(),
    },
    corpus: corpus.handlers,
    model: { ...models.handlers, verifyAdapter: training.verifyAdapter },
    preference: preference.handlers,
    training: { ...training.handlers, ...experiment.handlers },
    reflection: reflection.handlers,
    graph: graph.handlers,
    job: {
      list: ({ limit }) => jobs.list(limit ?? 100),
      get: ({ jobId }) => jobs.get(jobId),
      cancel: ({ jobId }) => (jobs.cancel(jobId), {}),
      retry: ({ jobId }) => ({ jobId: jobs.retry(jobId) }),
    },
  };
  const rpc = createRpcServer(engineContract, handlers, { log, checkOutputs: config.checkOutputs ?? false });
  server = rpc;
  jobs.open();
  preference.api.locateEarlierPairs();

  return {
    serve: rpc.serve,
    async close() {
      await jobs.close();
      rpc.close();
      await host.stop();
      closeDatabase(db);
      lock.release();
    },
    rooms: { db, jobs, corpus, graph, models, preference, reflection, training },
  };
}

function openLocked(workspaceDir: string, lock: { release(): void }) {
  try {
    return openDatabase(workspaceDir);
  } catch (error) {
    lock.release();
    throw error;
  }
}
