import { resolve } from "node:path";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import type { PairId } from "../../shared/ids.ts";
import { AppError } from "../../shared/errors.ts";
import type { PreferenceDeps } from "./deps.ts";
import { type ExportFormat, exportPairs, importPairs } from "./exchange/export-import.ts";
import { createExperimentStore } from "./experiment-store.ts";
import { openExperiment } from "./experiment.ts";
import { generateRequest } from "./generate-request.ts";
import { generateJob } from "./generate/generate-job.ts";
import { LOCATE_JOB, locateJob } from "./locate-job.ts";
import { createPreferenceStore } from "./preference-store.ts";
import type { Recipe, RecipeFile } from "../recipe/index.ts";
import { resolveRole, type RoleName } from "./roles.ts";
import type { UsedFile } from "./generate/provenance.ts";

const DEFAULT_LIST_LIMIT = 100;

export type Preference = ReturnType<typeof createPreference>;

export function createPreference(deps: PreferenceDeps) {
  const store = createPreferenceStore(deps.db, deps.clock);
  const experiments = createExperimentStore(deps.db, deps.clock);

  const handlers: EngineHandlers["preference"] = {
    async generate(input) {
      return { jobId: deps.enqueue(await generateRequest(deps, experiments, input)) };
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
      const result = await importPairs(store, experiments, resolve(path));
      deps.emit("preference.changed", { pairIds: [] });
      return result;
    },
  };

  return {
    handlers,
    jobs: [generateJob(deps, store, experiments), locateJob(deps, store, experiments)],
    api: {
      /** Once the queue is open: goes after what pairs of earlier versions do not say of their sources. */
      locateEarlierPairs(): void {
        if (store.countUnlocated() > 0) deps.enqueue({ type: LOCATE_JOB, input: {}, idempotencyKey: LOCATE_JOB });
      },
      /**
       * The experiment known under the key with the recipe that it began with, or a new one of the recipe that is read.
       * Errors: NOT_FOUND, VALIDATION_FAILED.
       */
      openExperiment: (key: string, read: () => RecipeFile) => openExperiment(experiments, key, read),
      /** Finds the model of every role and keeps with the experiment which files they are. Errors: MODEL_NOT_FOUND. */
      async resolveRoles(experimentId: string, recipe: Recipe): Promise<Record<RoleName, UsedFile>> {
        const found = {
          teacher: usedFile(await resolveRole(deps.models, recipe, "teacher")),
          policy: usedFile(await resolveRole(deps.models, recipe, "policy")),
          critic: usedFile(await resolveRole(deps.models, recipe, "critic")),
        };
        experiments.setModels(experimentId, found);
        return found;
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
      importPairs: (path: string) => importPairs(store, experiments, path),
    },
  };
}

function usedFile({ name, path, sha256 }: UsedFile): UsedFile {
  return { name, path, sha256 };
}
