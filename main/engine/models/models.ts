import { JobInputs } from "../../shared/contract/job-types.ts";
import { join } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { ModelFacts } from "../../shared/contract/model.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Emit } from "../lib/events.ts";
import { defineJob, type JobDefinition } from "../jobs/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import type { Clock } from "../lib/clock.ts";
import { defaultModelCacheDir } from "./cache-dir.ts";
import { loadCatalog } from "./catalog.ts";
import { modelFacts, readAdapterFacts, readHeaderFacts } from "./facts.ts";
import { createModelStore } from "./model-store.ts";
import { createNetworkLedger } from "../network/index.ts";
import { obtainModel } from "./obtain.ts";
import { readChatTemplate } from "./read-chat-template.ts";
import { createRegistry, type Inspector } from "./registry.ts";
import { answerTraining } from "./training-answer.ts";

export type ModelDeps = {
  db: Db;
  clock: Clock;
  emit: Emit;
  /** Says what can be trained. */
  trainer: Inspector;
  resourcesDir: string;
  modelCacheDir?: string | undefined;
  enqueue(request: EnqueueRequest): JobId;
};
export type Models = ReturnType<typeof createModels>;

const EMBEDDER = "all-minilm-l6-v2";

/** Base models, adapters and the catalogue. `verifyAdapter` needs the trainer and lives with training. */
export function createModels(deps: ModelDeps) {
  const cacheDir = deps.modelCacheDir ?? defaultModelCacheDir();
  const bundledDir = join(deps.resourcesDir, "models");
  const catalog = loadCatalog(join(bundledDir, "catalog.yaml"), cacheDir);
  const store = createModelStore(deps.db, deps.clock);
  const ledger = createNetworkLedger(deps.db, deps.clock);
  const changed = () => deps.emit("model.changed", {});
  const registry = createRegistry(store, catalog, deps.trainer, changed);

  /** With the answer for this machine as it is now. */
  const withTraining = async <T extends ModelFacts>(facts: T) => ({
    ...facts,
    training: answerTraining(facts, await deps.trainer.device()),
  });

  const handlers: Omit<EngineHandlers["model"], "verifyAdapter"> = {
    list: async () => await Promise.all((await registry.listModels()).map(withTraining)),
    catalog: () => catalog.entries(),
    inspect: async ({ path }) =>
      await withTraining(modelFacts(await readHeaderFacts(path), await deps.trainer.inspect(path), null)),
    add: async ({ path, chatTemplate }) =>
      await withTraining(
        await registry.addModel(path, undefined, chatTemplate && (await readChatTemplate(chatTemplate))),
      ),
    get({ name }) {
      catalog.find(name);
      return { jobId: deps.enqueue({ type: "model.get", input: { name } }) };
    },
    async setMarkers({ model, markers }) {
      return await withTraining(registry.setMarkers((await registry.resolveModel(model)).id, markers));
    },
    listAdapters: () => store.listAdapters(),
    inspectAdapter: ({ path }) => readAdapterFacts(path),
  };

  const getJob: JobDefinition = defineJob({
    type: "model.get",
    lane: "io",
    recovery: "requeue",
    input: JobInputs["model.get"],
    title: ({ name }) => `Get ${name}`,
    async run({ input, signal, progress }) {
      const model = catalog.find(input.name);
      const onProgress = (n: number, total: number, message: string) => progress({ n, total, unit: "bytes", message });
      await obtainModel({ catalog, cacheDir, bundledDir, ledger }, model, onProgress, signal);
      const path = model.kind === "chat" ? catalog.pathOf(model, model.files[0]!) : catalog.dirOf(model);
      const modelId = model.kind === "chat" ? (await registry.addModel(path, model.name)).id : null;
      changed();
      return { name: model.name, path, modelId };
    },
  });

  return {
    handlers,
    jobs: [getJob],
    api: {
      ...registry,
      parity: store.parity,
      /** Where the embedder's files are, or will be after `models get`. */
      embedderDir: () => catalog.dirOf(catalog.find(EMBEDDER)),
      modelCacheDir: () => cacheDir,
    },
  };
}
