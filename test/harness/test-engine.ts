import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import type { Embedder } from "../../main/engine/embedding/index.ts";
import { createEngine, type Engine, type EngineConfig } from "../../main/engine/engine.ts";
import type { GenerateRequest, ModelRunner } from "../../main/engine/inference/index.ts";
import type { Clock } from "../../main/engine/lib/clock.ts";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import { portOfMessagePort } from "../../main/engine/rpc/index.ts";
import {
  type EngineClient,
  engineContract,
  type EngineContract,
  type EngineEvents,
} from "../../main/shared/contract/index.ts";
import type { JobRow } from "../../main/shared/contract/job.ts";
import type { JobId } from "../../main/shared/ids.ts";
import { createRpcClient } from "../../main/shared/rpc/client.ts";
import { PDF_WORKER_PATH, REPOSITORY_DIR } from "./corpus-bench.ts";
import { createFakeEmbedder } from "./fake-embedder.ts";
import { linesFromTop, makePdf } from "./make-pdf.ts";
import { startScriptedHost } from "./scripted-host.ts";
import { createScriptedRunner, type Script } from "./scripted-runner.ts";

/** A model file of 65 kB whose header is real: it can be added, hashed and read, and the script speaks for it. */
export const TINY_MODEL_PATH = join(REPOSITORY_DIR, "test/fixtures/chat-templates/llama3.gguf");
/** The name under which a test engine knows it. */
export const TINY_MODEL = "llama3";

export type TestEngineOptions = {
  /** What the models say; by default they must not be asked. */
  script?: Script;
  /** Instead of a script. */
  runner?: ModelRunner & { requests: GenerateRequest[] };
  embedder?: Embedder;
  clock?: Clock;
  /** An earlier workspace to go on with; by default a new one, with the model `TINY_MODEL` in it. */
  dir?: string;
  config?: Partial<EngineConfig>;
};

export type TestEngine = {
  dir: string;
  /** Everything that the window and the command line can ask, through a port as they do; outputs are checked. */
  client: EngineClient;
  /** Below the contract. */
  rooms: Engine["rooms"];
  /** Every generation that the models were asked for. */
  requests: GenerateRequest[];
  events: { name: string; payload: unknown }[];
  /** The job's end. Rejects with its error. */
  finish(started: { jobId: string }): Promise<JobRow & { output: unknown }>;
  /** Makes a paper of each, a text a page, named `Paper 1` and so on, and imports them with their embeddings. */
  importPapers(papers: string[][]): Promise<void>;
  /** Jobs stopped, host ended, database closed, lock released; the folder stays, for an engine that goes on. */
  close(): Promise<void>;
  remove(): void;
};

/**
 * The whole engine, wired by createEngine on real SQLite in a folder of its own. Only the models and the clock are
 * played: a scripted model host answers over a real port.
 */
export async function createTestEngine(options: TestEngineOptions = {}): Promise<TestEngine> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), "preflexor-engine-"));
  const runner = options.runner ?? createScriptedRunner(options.script ?? notAsked);
  const embedder = options.embedder ?? createFakeEmbedder();
  const modelCacheDir = join(dir, "models");
  const engine = await createEngine({
    workspaceDir: join(dir, "workspace"),
    modelCacheDir,
    resourcesDir: join(REPOSITORY_DIR, "resources"),
    pdfWorkerPath: PDF_WORKER_PATH,
    compute: { trainerPath: join(dir, "no-trainer"), packagesDir: dir },
    startHost: startScriptedHost(runner, embedder),
    log: createSilentLogger(),
    version: "0.0.0-test",
    checkOutputs: true,
    ...(options.clock ? { clock: options.clock } : {}),
    ...options.config,
  });
  const { port1, port2 } = new MessageChannel();
  engine.serve(portOfMessagePort(port1));
  const rpc = createRpcClient<EngineContract, EngineEvents>(engineContract, portOfMessagePort(port2));
  const events: TestEngine["events"] = [];
  for (const name of EVENT_NAMES) rpc.on(name, (payload) => void events.push({ name, payload }));
  putEmbedder(engine.rooms.models.api.embedderDir());
  if (options.dir === undefined) await engine.rooms.models.api.addModel(TINY_MODEL_PATH);

  const finish: TestEngine["finish"] = ({ jobId }) => engine.rooms.jobs.wait(jobId as JobId);
  let nPapers = 0;
  return {
    dir,
    client: rpc.client,
    rooms: engine.rooms,
    requests: runner.requests,
    events,
    finish,
    async importPapers(papers) {
      const paths = papers.map((pages) => {
        const name = `Paper ${++nPapers}`;
        const pdf = makePdf(
          pages.map((text) => ({ lines: linesFromTop(wrap(text)) })),
          { title: name },
        );
        writeFileSync(join(dir, `${name}.pdf`), pdf);
        return join(dir, `${name}.pdf`);
      });
      await finish(await rpc.client.corpus.importFiles({ paths }));
    },
    async close() {
      rpc.close();
      await engine.close();
    },
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const EVENT_NAMES = [
  "corpus.changed",
  "graph.changed",
  "job.changed",
  "model.changed",
  "preference.changed",
  "reflection.changed",
  "training.step",
  "training.warning",
] as const satisfies (keyof EngineEvents)[];

const notAsked: Script = ({ prefill }) => {
  throw new Error(`this test has no script, and a model was asked to go on from "${prefill ?? ""}"`);
};

/** The engine looks for the embedder's file before it asks the host; the fake needs nothing in it. */
function putEmbedder(embedderDir: string): void {
  const path = join(embedderDir, "onnx", "model_quantized.onnx");
  if (existsSync(path)) return;
  mkdirSync(join(embedderDir, "onnx"), { recursive: true });
  writeFileSync(path, "");
}

const LINE_CHARS = 90;

function wrap(text: string): string[] {
  return text.match(new RegExp(`\\S.{0,${LINE_CHARS - 1}}(?=\\s|$)`, "g")) ?? [];
}
