import { statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { type AdapterRow, ModelFacts, type ModelRow, type ParityReport } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import type { AdapterId, ModelId } from "../../shared/ids.ts";
import type { MarkerSet } from "../../shared/markers.ts";
import { sha256OfFile } from "../lib/files.ts";
import { readCardMarkers } from "./card-markers.ts";
import type { Catalog } from "./catalog.ts";
import { nameFromPath, readAdapterFacts, readModelFacts } from "./facts.ts";
import type { FileStamp, ModelStore } from "./model-store.ts";

export type ResolvedModel = {
  id: ModelId;
  name: string;
  path: string;
  sha256: string;
  facts: ModelFacts;
  markers: MarkerSet | null;
};

export type ResolvedAdapter = {
  id: AdapterId | null;
  name: string;
  path: string;
  sha256: string | null;
  markers: MarkerSet | null;
};

/** The models and adapters that a workspace knows, each with the hash of the file as it is now. */
export function createRegistry(store: ModelStore, catalog: Catalog, changed: () => void) {
  async function addModel(path: string, name = nameFromPath(path)): Promise<ModelRow> {
    const known = store.findModel(path);
    const stamp = stampOf(path);
    if (!stamp) throw missing(path);
    if (known?.path === path && isSame(store.modelStamp(known.id), stamp)) return known;
    const facts = await readModelFacts(path);
    const model = store.putModel(name, facts, await sha256OfFile(path), stamp);
    changed();
    return model;
  }

  /** Catalogue models that lie in the cache count as known: another workspace may have obtained them. */
  async function findInCatalog(name: string): Promise<ModelRow | undefined> {
    const model = catalog.models.find((entry) => entry.name === name && entry.kind === "chat");
    const file = model?.files[0];
    if (!model || !file) return undefined;
    const path = catalog.pathOf(model, file);
    return stampOf(path)?.sizeBytes === file.sizeBytes ? await addModel(path, name) : undefined;
  }

  return {
    addModel,

    /** By name, id or absolute path; a path that is new is added. Errors: MODEL_NOT_FOUND, MODEL_INVALID. */
    async resolveModel(ref: string): Promise<ResolvedModel> {
      const known = store.findModel(ref);
      const model = known
        ? await addModel(known.path, known.name)
        : ((await findInCatalog(ref)) ?? (isAbsolute(ref) ? await addModel(ref) : undefined));
      if (!model) throw missing(ref);
      const { id, name, path, sha256, markers } = model;
      return { id, name, path, sha256, facts: ModelFacts.parse(model), markers };
    },

    setMarkers(id: ModelId, markers: MarkerSet | null): ModelRow {
      store.setMarkers(id, markers);
      changed();
      return store.findModel(id)!; // the id is a known model's
    },

    /** By id, name or absolute path. A file that nobody registered is allowed: it has no id yet. */
    resolveAdapter(ref: string): ResolvedAdapter {
      const known = store.findAdapter(ref);
      const path = known?.path ?? ref;
      if (!isAbsolute(path) || !stampOf(path))
        throw new AppError("NOT_FOUND", `There is no adapter ${ref}`, {
          hint: "Give its name, or the path of its GGUF file.",
        });
      const markers = known?.markers ?? readCardMarkers(path);
      return known ? { ...known, markers } : { id: null, name: nameFromPath(path), path, sha256: null, markers };
    },

    findAdapterByPath: (path: string): AdapterRow | undefined => {
      const adapter = store.findAdapter(path);
      return adapter?.path === path ? adapter : undefined;
    },

    async registerAdapter(given: {
      path: string;
      modelId?: string;
      trainingRunId?: string;
      name?: string;
      markers?: MarkerSet | null;
    }): Promise<AdapterRow> {
      const { path } = given;
      if (!stampOf(path)) throw new AppError("NOT_FOUND", `There is no adapter ${path}`);
      const adapter = store.putAdapter({
        name: given.name ?? nameFromPath(path),
        facts: await readAdapterFacts(path),
        sha256: await sha256OfFile(path),
        modelId: given.modelId ?? null,
        trainingRunId: given.trainingRunId ?? null,
        markers: given.markers ?? readCardMarkers(path),
      });
      changed();
      return adapter;
    },

    /** For an adapter whose file is gone. */
    forgetAdapter(path: string): void {
      store.deleteAdapter(path);
      changed();
    },

    setParity(id: AdapterId, report: ParityReport): void {
      store.setParity(id, report);
      changed();
    },
  };
}

function stampOf(path: string): FileStamp | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? { sizeBytes: stats.size, mtimeMs: stats.mtimeMs } : null;
}

function isSame(a: FileStamp | undefined, b: FileStamp): boolean {
  return a?.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs;
}

function missing(ref: string): AppError {
  return new AppError("MODEL_NOT_FOUND", `There is no model ${ref}`, {
    hint: "`models list` shows the models here, `models get NAME` obtains one, `models add PATH` adds a GGUF file.",
  });
}
