import { existsSync } from "node:fs";
import type { AdapterFacts, AdapterRow, ModelFacts, ModelRow, ParityReport } from "../../shared/contract/model.ts";
import type { AdapterId, ModelId } from "../../shared/ids.ts";
import type { MarkerSet } from "../../shared/markers.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";

/** Size and time of a file when its SHA-256 was taken: as long as both stay, the hash stays. */
export type FileStamp = { sizeBytes: number; mtimeMs: number };

export type ModelStore = ReturnType<typeof createModelStore>;

/** Where and whether there is memory to train it is of this machine and moment, and not kept. */
export type KnownModel = Omit<ModelRow, "training">;

/** What is kept of a model's file beside its facts. */
export type ModelFile = {
  stamp: FileStamp;
  /** The trainer that was asked whether it can be trained; another one may answer otherwise. */
  asked: string | null;
  /** Given by the user, instead of the file's own. */
  chatTemplate: string | null;
};
/** What the facts column of a model holds; older rows lack what came later. */
type ModelJson = { facts: StoredFacts } & Pick<ModelFile, "stamp"> & Partial<ModelFile>;
type LaterFacts = "purpose" | "notes" | "slidingWindow" | "trainingMemory";
type StoredFacts = Omit<ModelFacts, LaterFacts> & Partial<Pick<ModelFacts, LaterFacts>>;
type ModelColumns = {
  id: string;
  name: string;
  path: string;
  sha256: string;
  facts: string;
  markers: string | null;
  added_at: number;
};
type AdapterColumns = {
  id: string;
  name: string;
  path: string;
  sha256: string;
  model_id: string | null;
  model_name: string | null;
  training_run_id: string | null;
  facts: string;
  parity: string | null;
  markers: string | null;
  created_at: number;
};

export function createModelStore(db: Db, clock: Clock) {
  const upsertModel = db.prepare(`
    INSERT INTO model (id, name, path, sha256, facts, added_at) VALUES (@id, @name, @path, @sha256, @facts, @at)
    ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, facts = excluded.facts`);
  const selectModels = db.prepare<[], ModelColumns>(
    "SELECT id, name, path, sha256, facts, markers, added_at FROM model ORDER BY name",
  );
  const selectModel = db.prepare<[{ ref: string }], ModelColumns>(`
    SELECT id, name, path, sha256, facts, markers, added_at FROM model WHERE id = @ref OR name = @ref OR path = @ref
    ORDER BY id = @ref DESC, name = @ref DESC LIMIT 1`);
  const upsertAdapter = db.prepare(`
    INSERT INTO adapter (id, name, path, sha256, model_id, training_run_id, facts, parity, markers, created_at)
    VALUES (@id, @name, @path, @sha256, @modelId, @trainingRunId, @facts, NULL, @markers, @at)
    ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, model_id = excluded.model_id,
      training_run_id = excluded.training_run_id, facts = excluded.facts, parity = NULL,
      markers = excluded.markers`);
  const adapterColumns = `
    SELECT adapter.id, adapter.name, adapter.path, adapter.sha256, adapter.model_id, model.name AS model_name,
      adapter.training_run_id, adapter.facts, adapter.parity, adapter.markers, adapter.created_at
    FROM adapter LEFT JOIN model ON model.id = adapter.model_id`;
  const selectAdapters = db.prepare<[], AdapterColumns>(
    `${adapterColumns} ORDER BY adapter.created_at DESC, adapter.id DESC`,
  );
  const selectAdapter = db.prepare<[{ ref: string }], AdapterColumns>(`
    ${adapterColumns} WHERE adapter.id = @ref OR adapter.path = @ref OR adapter.name = @ref
    ORDER BY adapter.id = @ref DESC, adapter.path = @ref DESC, adapter.created_at DESC LIMIT 1`);
  const deleteAdapter = db.prepare("DELETE FROM adapter WHERE path = ?");
  const selectParity = db.prepare<[string], { parity: string | null }>("SELECT parity FROM adapter WHERE id = ?");
  const updateParity = db.prepare("UPDATE adapter SET parity = @parity WHERE id = @id");

  const updateMarkers = db.prepare("UPDATE model SET markers = @markers WHERE id = @id");

  const findModel = (ref: string) => mapModel(selectModel.get({ ref }));
  const findAdapter = (ref: string) => mapAdapter(selectAdapter.get({ ref }));

  function freeName(name: string): string {
    for (let i = 1; ; i++) {
      const candidate = i === 1 ? name : `${name}-${i}`;
      if (!selectModels.all().some((row) => row.name === candidate)) return candidate;
    }
  }

  return {
    /** By id, name or path. */
    findModel,
    listModels: () => selectModels.all().map(mapKnownModel),
    /** What the file of a known model was when its hash was taken. */
    modelFile(ref: string): ModelFile | undefined {
      const row = selectModel.get({ ref });
      if (!row) return undefined;
      const { stamp, asked = null, chatTemplate = null } = JSON.parse(row.facts) as ModelJson;
      return { stamp, asked, chatTemplate };
    },
    /** A known path keeps its id and name; another file under a taken name gets a number behind it. */
    putModel(name: string, facts: ModelFacts, sha256: string, file: ModelFile): KnownModel {
      const id = newId<ModelId>(clock());
      db.transaction(() => {
        const isKnown = selectModel.get({ ref: facts.path })?.path === facts.path;
        const chosen = isKnown ? name : freeName(name);
        upsertModel.run({
          id,
          name: chosen,
          path: facts.path,
          sha256,
          facts: JSON.stringify({ facts, ...file }),
          at: clock(),
        });
      })();
      return findModel(facts.path)!; // just written
    },
    setMarkers: (id: ModelId, markers: MarkerSet | null) =>
      void updateMarkers.run({ id, markers: markers && JSON.stringify(markers) }),
    /** By id, path or, newest first, name. */
    findAdapter,
    listAdapters: () => selectAdapters.all().map(mapKnownAdapter),
    /** A file written again under the same path is a new adapter in the old row: its parity is unknown again. */
    putAdapter(adapter: {
      name: string;
      facts: AdapterFacts;
      sha256: string;
      modelId: string | null;
      trainingRunId: string | null;
      markers: MarkerSet | null;
    }): AdapterRow {
      const { facts, ...columns } = adapter;
      const id = newId<AdapterId>(clock());
      const markers = adapter.markers && JSON.stringify(adapter.markers);
      upsertAdapter.run({ ...columns, markers, id, path: facts.path, facts: JSON.stringify(facts), at: clock() });
      return findAdapter(facts.path)!; // just written
    },
    deleteAdapter: (path: string) => void deleteAdapter.run(path),
    parity(id: AdapterId): ParityReport | null {
      const parity = selectParity.get(id)?.parity;
      return parity ? (JSON.parse(parity) as ParityReport) : null;
    },
    setParity: (id: AdapterId, report: ParityReport) => void updateParity.run({ id, parity: JSON.stringify(report) }),
  };
}

function mapModel(row: ModelColumns | undefined): KnownModel | undefined {
  return row && mapKnownModel(row);
}

function mapKnownModel(row: ModelColumns): KnownModel {
  const { facts } = JSON.parse(row.facts) as ModelJson;
  return {
    purpose: "text",
    notes: [],
    slidingWindow: null,
    trainingMemory: null,
    ...facts,
    id: row.id as ModelId,
    name: row.name,
    path: row.path,
    sha256: row.sha256,
    markers: row.markers === null ? null : (JSON.parse(row.markers) as MarkerSet),
    addedAt: row.added_at,
    isPresent: existsSync(row.path),
  };
}

function mapAdapter(row: AdapterColumns | undefined): AdapterRow | undefined {
  return row && mapKnownAdapter(row);
}

function mapKnownAdapter(row: AdapterColumns): AdapterRow {
  const facts = JSON.parse(row.facts) as AdapterFacts;
  const parity = row.parity === null ? null : (JSON.parse(row.parity) as ParityReport);
  return {
    ...facts,
    id: row.id as AdapterId,
    name: row.name,
    path: row.path,
    sha256: row.sha256,
    modelId: row.model_id as ModelId | null,
    modelName: row.model_name,
    trainingRunId: row.training_run_id,
    createdAt: row.created_at,
    markers: row.markers === null ? null : (JSON.parse(row.markers) as MarkerSet),
    parityVerdict: parity?.verdict ?? "not_checked",
  };
}
