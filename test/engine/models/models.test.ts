import { DEFAULT_MARKERS } from "../../../main/shared/markers.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import { createModels, type Models } from "../../../main/engine/models/index.ts";
import { createJobQueue, createJobStore, type JobQueue } from "../../../main/engine/jobs/index.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import type { ParityReport } from "../../../main/shared/contract/model.ts";
import type { JobId } from "../../../main/shared/ids.ts";

const rootDir = resolve(import.meta.dirname, "../../..");
const fixturesDir = join(rootDir, "test/fixtures");
const tinyModel = join(fixturesDir, "chat-templates/llama3.gguf");
const otherModel = join(fixturesDir, "chat-templates/gemma.gguf");

let dir: string;
let db: Db;
let jobs: JobQueue;
let models: Models;
let nChanges: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "preflexor-models-"));
  setUp(join(rootDir, "resources"));
});
afterEach(async () => {
  await jobs.close();
  closeDatabase(db);
  await rm(dir, { recursive: true, force: true });
});

function setUp(resourcesDir: string): void {
  db = openDatabase(join(dir, "workspace"));
  nChanges = 0;
  models = createModels({
    db,
    clock: () => 1000,
    emit: () => void nChanges++,
    resourcesDir,
    modelCacheDir: join(dir, "cache"),
    enqueue: (request) => jobs.enqueue(request),
  });
  const log = createSilentLogger();
  jobs = createJobQueue({ store: createJobStore(db, () => 1000), definitions: models.jobs, log, onChange: () => {} });
  jobs.open();
}

const networkCalls = () => db.prepare("SELECT host, purpose, bytes, status FROM network_call").all();
// the brand is checked on the way in, not out
const finish = async (jobId: string) => (await jobs.wait(jobId as JobId)).output;
const signal = new AbortController().signal;
const sha256OfTiny = createHash("sha256").update(readFileSync(tinyModel)).digest("hex");

describe("models of a workspace", () => {
  it("are added once per path, under a name that stays free", async () => {
    const row = await models.handlers.add({ path: tinyModel }, signal);
    expect(row).toMatchObject({ name: "llama3", architecture: "llama", isPresent: true });
    expect(row.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect((await models.handlers.add({ path: tinyModel }, signal)).id).toBe(row.id);
    await mkdir(join(dir, "elsewhere"));
    await copyFile(otherModel, join(dir, "elsewhere/llama3.gguf"));
    expect((await models.handlers.add({ path: join(dir, "elsewhere/llama3.gguf") }, signal)).name).toBe("llama3-2");
    expect(await models.handlers.list({}, signal)).toHaveLength(2);
    expect(nChanges).toBe(2);
  });

  it("keep the marker set that was entered for them, until it is taken back", async () => {
    const { id } = await models.api.resolveModel(tinyModel);
    const markers = { ...DEFAULT_MARKERS, thinkingOpen: "<think>", thinkingClose: "</think>" };
    expect(await models.handlers.setMarkers({ model: "llama3", markers }, signal)).toMatchObject({ id, markers });
    expect((await models.api.resolveModel(tinyModel)).markers).toEqual(markers);
    expect((await models.handlers.setMarkers({ model: id, markers: null }, signal)).markers).toBeNull();
  });

  it("resolve by name, id and path to the same row", async () => {
    const byPath = await models.api.resolveModel(tinyModel);
    expect(await models.api.resolveModel("llama3")).toEqual(byPath);
    expect(await models.api.resolveModel(byPath.id)).toEqual(byPath);
    await expect(models.api.resolveModel("nothing")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });

  it("are hashed again when the file has changed, and only then", async () => {
    const path = join(dir, "model.gguf");
    await copyFile(tinyModel, path);
    const first = await models.api.resolveModel(path);
    await copyFile(otherModel, path);
    await utimes(path, 1e9, 1e9);
    const second = await models.api.resolveModel("model");
    expect(second.id).toBe(first.id);
    expect(second.sha256).not.toBe(first.sha256);
    expect(second.facts.vocabularySize).toBe(561);
    const { size } = await stat(path);
    await writeFile(path, Buffer.alloc(size));
    await utimes(path, 1e9, 1e9);
    expect((await models.api.resolveModel("model")).sha256).toBe(second.sha256);
  });

  it("say so when the file is gone", async () => {
    const path = join(dir, "model.gguf");
    await copyFile(tinyModel, path);
    await models.api.resolveModel(path);
    await rm(path);
    expect((await models.handlers.list({}, signal))[0]?.isPresent).toBe(false);
    await expect(models.api.resolveModel("model")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

describe("adapters", () => {
  const report = { verdict: "passed", reasons: [], rows: [] } as unknown as ParityReport; // only the verdict matters here

  it("keep their model, run and parity until the file is written again", async () => {
    const path = join(dir, "round-1.gguf");
    await copyFile(join(fixturesDir, "reference/adapter-init.gguf"), path);
    const model = await models.api.resolveModel(tinyModel);
    const adapter = await models.api.registerAdapter({ path, modelId: model.id, trainingRunId: "run" });
    expect(adapter).toMatchObject({ name: "round-1", modelName: "llama3", parityVerdict: "not_checked", r: 8 });
    models.api.setParity(adapter.id, report);
    expect(models.api.findAdapterByPath(path)).toMatchObject({ parityVerdict: "passed" });
    expect(models.api.resolveAdapter("round-1").path).toBe(path);
    await copyFile(join(fixturesDir, "reference/final-adapter-orpo.gguf"), path);
    const again = await models.api.registerAdapter({ path, modelId: model.id });
    expect(again.id).toBe(adapter.id);
    expect(again).toMatchObject({ parityVerdict: "not_checked", trainingRunId: null });
  });

  it("may be used by path without being registered", () => {
    const path = join(fixturesDir, "reference/adapter-init.gguf");
    expect(models.api.resolveAdapter(path)).toMatchObject({ id: null, path, name: "adapter-init" });
    expect(() => models.api.resolveAdapter("nothing")).toThrow("There is no adapter nothing");
  });
});

describe("the catalogue", () => {
  it("tells what there is to get, and what is present", async () => {
    const entries = await models.handlers.catalog({}, signal);
    expect(entries.map(({ name, kind, isPresent }) => [name, kind, isPresent])).toEqual([
      ["smollm2-135m-instruct", "chat", false],
      ["all-minilm-l6-v2", "embedder", false],
    ]);
    expect(models.api.embedderDir()).toBe(join(dir, "cache/all-minilm-l6-v2"));
  });

  it("refuses an unknown name before any job", () => {
    expect(() => models.handlers.get({ name: "gpt" }, signal)).toThrow("has no model gpt");
  });

  it("puts files into the cache, checked, and cleans up after killed runs", async () => {
    const resources = await writeCatalog(tinyModel, sha256OfTiny);
    await restart(resources);
    await mkdir(join(dir, "cache/.partial-4194305-1/wheel"), { recursive: true });
    const { jobId } = await models.handlers.get({ name: "tiny" }, signal);
    expect(await finish(jobId)).toMatchObject({ name: "tiny", path: join(dir, "cache/tiny/model.gguf") });
    expect(await readdir(join(dir, "cache"))).toEqual(["tiny"]);
    expect((await models.api.resolveModel("tiny")).path).toBe(join(dir, "cache/tiny/model.gguf"));
    expect(networkCalls()).toEqual([]);
  });

  it("finds a model that another workspace has put into the cache", async () => {
    const resources = await writeCatalog(tinyModel, sha256OfTiny);
    await restart(resources);
    await mkdir(join(dir, "cache/tiny"), { recursive: true });
    await copyFile(tinyModel, join(dir, "cache/tiny/model.gguf"));
    expect((await models.api.resolveModel("tiny")).name).toBe("tiny");
  });

  it("refuses a file with another hash from every source, records the calls and says what to do", async () => {
    const resources = await writeCatalog(otherModel, sha256OfTiny);
    await restart(resources);
    const { jobId } = await models.handlers.get({ name: "tiny" }, signal);
    const error = await finish(jobId).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "NETWORK_FAILED",
      hint: expect.stringContaining(`to ${join(dir, "cache/tiny/model.gguf")}`) as unknown,
      details: { failures: [expect.stringContaining("SHA-256"), expect.stringContaining("127.0.0.1")] },
    });
    expect(await readdir(join(dir, "cache"))).toEqual([]);
    expect(networkCalls()).toEqual([
      { host: "127.0.0.1:9", purpose: "models get tiny", bytes: 0, status: expect.any(String) as unknown },
    ]);
  });
});

async function restart(resourcesDir: string): Promise<void> {
  await jobs.close();
  closeDatabase(db);
  setUp(resourcesDir);
}

/** A catalogue with one small model: from this folder first, then from a port where nobody listens. */
async function writeCatalog(source: string, sha256: string): Promise<string> {
  const resources = join(dir, "resources");
  await mkdir(join(resources, "models"), { recursive: true });
  await copyFile(source, join(resources, "models/source.gguf"));
  const { size } = await stat(source);
  const embedder = { path: "config.json", sizeBytes: 1, sha256, sources: [{ kind: "bundled", path: "none.json" }] };
  const file = {
    path: "model.gguf",
    sizeBytes: size,
    sha256,
    sources: [
      { kind: "bundled", path: "source.gguf" },
      { kind: "https", url: "https://127.0.0.1:9/model.gguf" },
    ],
  };
  const common = { description: "", licence: "none" };
  const catalog = [
    { name: "tiny", kind: "chat", ...common, files: [file] },
    { name: "all-minilm-l6-v2", kind: "embedder", ...common, files: [embedder] },
  ];
  // JSON is YAML
  await writeFile(join(resources, "models/catalog.yaml"), JSON.stringify(catalog));
  return resources;
}
