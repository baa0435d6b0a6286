/** @file The two demo models in the user's cache, obtained by the product's own catalogue code. */
import { join, resolve } from "node:path";
import { defaultModelCacheDir } from "../../main/engine/models/cache-dir.ts";
import { loadCatalog } from "../../main/engine/models/catalog.ts";
import { obtainModel } from "../../main/engine/models/obtain.ts";

const bundledDir = resolve(import.meta.dirname, "../../resources/models");

export type DemoModels = { chatModelPath: string; embedderDir: string; modelCacheDir: string };

/** Fast when they are there; each file is checked by its SHA-256 every time. */
export async function ensureDemoModels(): Promise<DemoModels> {
  const cacheDir = defaultModelCacheDir();
  const catalog = loadCatalog(join(bundledDir, "catalog.yaml"), cacheDir);
  const chat = catalog.find("smollm2-135m-instruct");
  const embedder = catalog.find("all-minilm-l6-v2");
  const ledger = { record: () => {} };
  for (const model of [chat, embedder]) {
    await obtainModel({ catalog, cacheDir, bundledDir, ledger }, model, () => {}, new AbortController().signal);
  }
  return {
    chatModelPath: catalog.pathOf(chat, chat.files[0]!),
    embedderDir: catalog.dirOf(embedder),
    modelCacheDir: cacheDir,
  };
}
