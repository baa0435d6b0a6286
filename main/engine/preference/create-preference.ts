import { resolve } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { PairId } from "../../shared/ids.ts";
import { AppError } from "../../shared/errors.ts";
import type { PreferenceDeps } from "./deps.ts";
import { type ExportFormat, exportPairs, importPairs } from "./exchange/export-import.ts";
import { generateRequest, openExperiment } from "./experiment.ts";
import { generateJob } from "./generate/generate-job.ts";
import { LOCATE_JOB, locateJob } from "./locate-job.ts";
import { createPreferenceStore } from "./preference-store.ts";
import { loadRecipe } from "../recipe/index.ts";

const DEFAULT_LIST_LIMIT = 100;

export type Preference = ReturnType<typeof createPreference>;

export function createPreference(deps: PreferenceDeps) {
  const store = createPreferenceStore(deps.db, deps.clock);

  const handlers: EngineHandlers["preference"] = {
    async generate(input) {
      return { jobId: deps.enqueue(await generateRequest(deps, store, input)) };
    },
    list({ stage = null, loss = null, status = null, limit = DEFAULT_LIST_LIMIT }) {
      return {
        rows: store.list({ stage, loss, status, limit }),
        total: store.count({ stage, loss, status }),
        filterCounts: store.filterCounts({ stage, loss }),
      };
    },
    get({ pairId }) {
      const pair = store.get(pairId);
      if (!pair) throw new AppError("NOT_FOUND", `There is no preference pair ${pairId}`);
      return pair;
    },
    async export({ path, format }) {
      return { path: resolve(path), ...(await exportPairs(store, resolve(path), format)) };
    },
    async import({ path }) {
      const result = await importPairs(store, resolve(path));
      deps.emit("preference.changed", { pairIds: [] });
      return result;
    },
  };

  return {
    handlers,
    jobs: [generateJob(deps, store), locateJob(deps, store)],
    api: {
      /** Once the queue is open: goes after what pairs of earlier versions do not say of their sources. */
      locateEarlierPairs(): void {
        if (store.countUnlocated() > 0) deps.enqueue({ type: LOCATE_JOB, input: {}, idempotencyKey: LOCATE_JOB });
      },
      /** A new experiment, or the one known under the key with the recipe that it began with. */
      openExperiment(key: string, recipe: string) {
        return openExperiment(store, key, loadRecipe(recipe, deps.recipesDir));
      },
      acceptedPairs: (experimentId: string, stage: string, round: number) =>
        store.round({ experimentId, stage, round }).filter((row) => row.status === "accepted"),
      /** By a stage's name or its loss's; all without. */
      allAccepted: (stage: string | null = null) => store.accepted({ stage, loss: null }),
      /** The pair's round counted over all stages and experiments, from 0: when it came to the graph. */
      growthRound: (id: PairId) => store.nEarlierRounds(id),
      getPair: (id: PairId) => store.get(id),
      /** Every generation behind a pair: sampler, hash of the prompt, text. */
      pairEvents: (id: PairId) => store.events(id),
      exportPairs: (path: string, format: ExportFormat) => exportPairs(store, path, format),
      importPairs: (path: string) => importPairs(store, path),
    },
  };
}
