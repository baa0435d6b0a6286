import { statSync } from "node:fs";
import { isAbsolute } from "node:path";
import { type AdapterRow, ModelFacts, type ParityReport } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import type { AdapterId, ModelId } from "../../shared/ids.ts";
import type { MarkerSet } from "../../shared/markers.ts";
import type { Devices } from "../devices/index.ts";
import { sha256OfFile } from "../lib/files.ts";
import { readCardMarkers } from "./card-markers.ts";
import type { Catalog } from "./catalog.ts";
import { modelFacts, nameFromPath, readAdapterFacts, readHeaderFacts } from "./facts.ts";
import { matchName } from "./match-name.ts";
import type { FileStamp, KnownModel, ModelStore } from "./model-store.ts";

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

/** Who says whether a model can be trained and where: the trainer, which one it is, and the chosen device. */
export type Inspector = Devices["api"]["inspector"];

/** The models and adapters that a workspace knows, each with the hash of the file as it is now. */
export function createRegistry(store: ModelStore, catalog: Catalog, trainer: Inspector, changed: () => void) {
  /** `chatTemplate`: instead of the file's own from now on. Errors: MODEL_NOT_FOUND, MODEL_INVALID. */
  async function addModel(path: string, name = nameFromPath(path), chatTemplate?: string): Promise<KnownModel> {
    const known = store.findModel(path);
    const stamp = stampOf(path);
    if (!stamp) throw missing(path);
    const before = known?.path === path ? store.modelFile(path) : undefined;
    const isSameFile = before !== undefined && isSame(before.stamp, stamp);
    const asked = await trainer.identity();
    if (known && isSameFile && before.asked === asked && chatTemplate === undefined) return known;
    const header = await readHeaderFacts(path);
    if (header.otherPurpose) throw notForText(path, header.otherPurpose);
    const template = chatTemplate ?? before?.chatTemplate ?? null;
    const facts = modelFacts(header, await trainer.inspect(path), template);
    const sha256 = known && isSameFile ? known.sha256 : await sha256OfFile(path);
    const model = store.putModel(name, facts, sha256, { stamp, asked, chatTemplate: template });
    changed();
    return model;
  }

  /** Catalogue models that lie in the cache count as known: another workspace may have obtained them. */
  async function findInCatalog(name: string): Promise<KnownModel | undefined> {
    const model = catalog.models.find((entry) => entry.name === name && entry.kind === "chat");
    const file = model?.files[0];
    if (!model || !file) return undefined;
    const path = catalog.pathOf(model, file);
    return stampOf(path)?.sizeBytes === file.sizeBytes ? await addModel(path, name) : undefined;
  }

  /** By a name that is meant but not written as it is kept: other letters, without its quantisation. */
  async function findByMeaning(ref: string): Promise<KnownModel | undefined> {
    const known = store.listModels().filter(({ isPresent }) => isPresent);
    const inCache = catalog.models.filter((entry) => entry.kind === "chat").map(({ name }) => ({ name, id: name }));
    const found = matchName(ref, [...known, ...inCache.filter(({ name }) => !known.some((row) => row.name === name))]);
    if (found.length > 1)
      throw new AppError("MODEL_NOT_FOUND", `${ref} can mean ${found.map(({ name }) => name).join(" or ")}`, {
        hint: "Give the whole name of the one that is meant.",
      });
    const [match] = found;
    if (!match) return undefined;
    const row = known.find(({ id }) => id === match.id);
    return row ? await addModel(row.path, row.name) : await findInCatalog(match.name);
  }

  function notFound(ref: string): AppError {
    const names = [...new Set([...store.listModels(), ...catalog.entries()].map(({ name }) => name))];
    return new AppError("MODEL_NOT_FOUND", `There is no model ${ref}`, {
      hint: `Here, or to be had with \`models get\`, are: ${names.join(", ")}. \`models add PATH\` adds a GGUF file.`,
    });
  }

  return {
    addModel,

    /** Every model, with the word of the trainer that is there now. */
    async listModels(): Promise<KnownModel[]> {
      for (const row of store.listModels()) {
        // a file that has been replaced by something else is shown as it was known
        if (row.isPresent) await addModel(row.path, row.name).catch(() => {});
      }
      return store.listModels();
    },

    /** What the user gave for the model at this path. */
    chatTemplateOf: (path: string): string | undefined => store.modelFile(path)?.chatTemplate ?? undefined,

    /** By name (see match-name.ts), id or absolute path; a path that is new is added. Errors: MODEL_NOT_FOUND, MODEL_INVALID. */
    async resolveModel(ref: string): Promise<ResolvedModel> {
      const known = store.findModel(ref);
      const model = known
        ? await addModel(known.path, known.name)
        : ((await findInCatalog(ref)) ?? (isAbsolute(ref) ? await addModel(ref) : await findByMeaning(ref)));
      if (!model) throw notFound(ref);
      const { id, name, path, sha256, markers } = model;
      return { id, name, path, sha256, facts: ModelFacts.parse(model), markers };
    },

    setMarkers(id: ModelId, markers: MarkerSet | null): KnownModel {
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

function notForText(path: string, { is, nextStep }: { is: string; nextStep: string }): AppError {
  const what = `${is.charAt(0).toLowerCase()}${is.slice(1)}`.replace(/^it /, "");
  return new AppError("MODEL_INVALID", `${path} ${what}`, { hint: nextStep });
}

function missing(path: string): AppError {
  return new AppError("MODEL_NOT_FOUND", `There is no model file ${path}`, {
    hint: "`models list` shows the models here, `models get NAME` obtains one, `models add PATH` adds a GGUF file.",
  });
}
