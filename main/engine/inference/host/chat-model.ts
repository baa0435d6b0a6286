import { InsufficientMemoryError, type LlamaContext, type LlamaContextSequence, type LlamaModel } from "node-llama-cpp";
import { statSync } from "node:fs";
import { AppError, isAppError } from "../../../shared/errors.ts";
import { checkAdapterFits, type GgufHeader, readAdapter, readGgufHeader } from "../../gguf/index.ts";
import type { ModelBinding } from "../model-runner.ts";
import type { Gpu } from "./contract.ts";
import { type ChatTemplate, createChatTemplate } from "./chat-template.ts";
import { type LlamaLibrary, loadLlama } from "./llama.ts";
import { createThreadTuner, type ThreadTuner, type Work } from "./thread-tuner.ts";

/** Exact contexts hold their cache in F32. */
export type Precision = "chat" | "exact";

export type LoadedModel = {
  header: GgufHeader;
  model: LlamaModel;
  /**
   * Made at the first use: a model without a chat template can still score token ids. With `given` instead of the file's
   * own. Errors: MODEL_INCOMPATIBLE.
   */
  template(given?: string): ChatTemplate;
};

/**
 * The models, adapters and contexts that are loaded, few at a time. Files are checked before llama.cpp sees them, and
 * loaded anew when they change on disk. Only one call may use it at a time.
 */
export type ChatModels = {
  library(): Promise<LlamaLibrary>;
  use(gpu: Gpu): Promise<void>;
  load(modelPath: string): Promise<LoadedModel>;
  /** An empty sequence that can hold `nTokens`. Errors: CONTEXT_OVERFLOW and those of loading. */
  sequence(binding: ModelBinding, nTokens: number, precision: Precision): Promise<LlamaContextSequence>;
  /** Runs what evaluates so many tokens of a sequence, with as many threads as suit it. */
  withThreads<T>(work: Work, nTokens: number, evaluate: () => Promise<T>): Promise<T>;
  unload(): Promise<void>;
};

type ContextEntry = { context: LlamaContext; sequence: LlamaContextSequence };
type ModelEntry = LoadedModel & {
  stamp: string;
  /** Adapters stay in memory until their model goes. */
  adapterStamps: Map<string, string>;
  contexts: Map<string, ContextEntry>;
};

const MAX_MODELS = 2;
const MAX_CONTEXTS = 2;
const MAX_ADAPTERS = 4;
const SMALLEST_CONTEXT = 2048;

export function createChatModels(): ChatModels {
  const models = new Map<string, ModelEntry>();
  let library: Promise<LlamaLibrary> | undefined;
  let wantedGpu: Gpu = false;
  let tuner: ThreadTuner | undefined;

  function getLibrary(): Promise<LlamaLibrary> {
    library ??= loadLlama(wantedGpu);
    library.catch(() => (library = undefined));
    return library;
  }

  async function unloadModel(path: string): Promise<void> {
    const entry = models.get(path);
    models.delete(path);
    await entry?.model.dispose();
  }

  async function closeContext(entry: ModelEntry, key: string): Promise<void> {
    await entry.contexts.get(key)?.context.dispose();
    entry.contexts.delete(key);
  }

  /** What can be given up for the model at `path`: the others, and its own contexts. Tells whether there was anything. */
  async function freeAllBut(path: string): Promise<boolean> {
    const own = models.get(path);
    const others = [...models.keys()].filter((other) => other !== path);
    const hasAny = others.length > 0 || (own?.contexts.size ?? 0) > 0;
    for (const other of others) await unloadModel(other);
    if (own) for (const key of own.contexts.keys()) await closeContext(own, key);
    return hasAny;
  }

  async function load(path: string): Promise<ModelEntry> {
    const stamp = stampOf(path, "MODEL_NOT_FOUND");
    const known = models.get(path);
    if (known?.stamp === stamp) {
      moveToEnd(models, path, known);
      return known;
    }
    await unloadModel(path);
    const header = await readGgufHeader(path);
    while (models.size >= MAX_MODELS) await unloadModel(models.keys().next().value!);
    const lib = await getLibrary();
    const model = await withRoom(
      () => explainLoad(lib, path, () => lib.llama.loadModel({ modelPath: path })),
      () => freeAllBut(path),
    );
    const templates = new Map<string | undefined, ChatTemplate>();
    const entry: ModelEntry = {
      header,
      model,
      stamp,
      adapterStamps: new Map(),
      contexts: new Map(),
      template(given) {
        const made = templates.get(given) ?? createChatTemplate(model, given);
        templates.set(given, made);
        return made;
      },
    };
    models.set(path, entry);
    return entry;
  }

  /** A changed adapter under an old path, or one too many, means loading the model afresh: llama.cpp forgets none. */
  async function loadForAdapter(modelPath: string, adapterPath: string | null): Promise<ModelEntry> {
    const entry = await load(modelPath);
    if (adapterPath === null) return entry;
    const stamp = stampOf(adapterPath, "NOT_FOUND");
    const known = entry.adapterStamps.get(adapterPath);
    if (known === stamp) return entry;
    checkAdapterFits(await readAdapter(adapterPath), entry.header);
    if (known !== undefined || entry.adapterStamps.size >= MAX_ADAPTERS) {
      await unloadModel(modelPath);
      return await loadForAdapter(modelPath, adapterPath);
    }
    entry.adapterStamps.set(adapterPath, stamp);
    return entry;
  }

  async function openContext(
    entry: ModelEntry,
    adapterPath: string | null,
    contextSize: number,
    precision: Precision,
  ): Promise<ContextEntry> {
    const lib = await getLibrary();
    const context = await explainLoad(lib, adapterPath ?? entry.header.path, () =>
      entry.model.createContext({
        contextSize,
        sequences: 1,
        batchSize: lib.batchTokens,
        threads: { ideal: lib.threads, min: 1 },
        ...(adapterPath === null ? {} : { lora: { adapters: [{ filePath: adapterPath }] } }),
        // on the CPU it splits sums among the threads, so that texts would depend on their number
        ...(precision === "exact" || lib.llama.gpu === false ? { flashAttention: false } : {}),
        ...(precision === "exact" ? { experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" } : {}),
      }),
    );
    return { context, sequence: context.getSequence() };
  }

  return {
    library: getLibrary,
    async use(gpu) {
      if (gpu === wantedGpu) return;
      for (const path of models.keys()) await unloadModel(path);
      const loaded = await library?.catch(() => undefined);
      await loaded?.llama.dispose();
      library = undefined;
      tuner = undefined;
      wantedGpu = gpu;
    },
    load,
    async sequence({ modelPath, adapterPath }, nTokens, precision) {
      const entry = await loadForAdapter(modelPath, adapterPath);
      const key = JSON.stringify([precision, adapterPath]);
      const wanted = contextSizeFor(entry.model, nTokens);
      const usable = entry.contexts.get(key);
      if (usable && usable.context.contextSize < wanted) await closeContext(entry, key);
      let known = entry.contexts.get(key);
      if (!known) {
        while (entry.contexts.size >= MAX_CONTEXTS) await closeContext(entry, entry.contexts.keys().next().value!);
        known = await withRoom(
          () => openContext(entry, adapterPath, wanted, precision),
          () => freeAllBut(modelPath),
        );
      }
      moveToEnd(entry.contexts, key, known);
      await known.sequence.clearHistory();
      return known.sequence;
    },
    async withThreads(work, nTokens, evaluate) {
      const { llama, threads, hasFixedThreads } = await getLibrary();
      if (hasFixedThreads) return await evaluate();
      tuner ??= createThreadTuner({
        most: threads,
        // the library shares this out among the contexts that are at work, which is one here
        setThreads: (n) => (llama.maxThreads = n),
      });
      try {
        return await tuner.run(work, nTokens, evaluate);
      } finally {
        llama.maxThreads = 0; // no limit for contexts that are made
      }
    },
    async unload() {
      for (const path of models.keys()) await unloadModel(path);
    },
  };
}

/** Power of two, so that few sizes occur; at most what the model was trained on. */
function contextSizeFor(model: LlamaModel, nTokens: number): number {
  const limit = model.trainContextSize;
  // node-llama-cpp shifts the context one token before it is full
  const needed = nTokens + 1;
  if (needed > limit)
    throw new AppError("CONTEXT_OVERFLOW", `${nTokens} tokens do not fit into the model's context of ${limit}`, {
      hint: "Shorten the question or the retrieved texts, ask for fewer tokens, or use a model with a longer context.",
      details: { nTokens, contextLength: limit },
    });
  return Math.min(limit, Math.max(SMALLEST_CONTEXT, 2 ** Math.ceil(Math.log2(needed))));
}

/** Makes room and tries once more when memory does not suffice. */
async function withRoom<T>(make: () => Promise<T>, makeRoom: () => Promise<boolean>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!isAppError(error, "OUT_OF_MEMORY") || !(await makeRoom())) throw error;
    return await make();
  }
}

async function explainLoad<T>(library: LlamaLibrary, path: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (cause instanceof InsufficientMemoryError)
      throw new AppError("OUT_OF_MEMORY", `There is not enough memory to load ${path}`, {
        hint: "Close other programs, or choose a smaller model or quantisation.",
        cause,
      });
    throw new AppError("MODEL_INCOMPATIBLE", `llama.cpp cannot load ${path}`, {
      hint: "Its architecture may be newer than this program, or the file may not be a text model.",
      details: { reason: library.lastErrors() || (cause as Error).message },
      cause,
    });
  }
}

function stampOf(path: string, missingCode: "MODEL_NOT_FOUND" | "NOT_FOUND"): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new AppError(missingCode, `There is no file ${path}`);
  return `${stats.size} ${stats.mtimeMs} ${stats.ino}`;
}

function moveToEnd<V>(map: Map<string, V>, key: string, value: V): void {
  map.delete(key);
  map.set(key, value);
}
