import { DEFAULT_MARKERS } from "../../../main/shared/markers.ts";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import { createModels, type Inspector, type Models } from "../../../main/engine/models/index.ts";
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
const processor = {
  name: "cpu",
  description: "A processor",
  backend: "cpu",
  type: "cpu",
  package: "linux-x64",
  memoryTotalMb: 16_000,
} as const;
let freeMb: number;
/** Says yes to everything, and is another trainer when `version` changes. */
let trainer: Inspector & { version: string };

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
  freeMb = 8000;
  trainer = {
    version: "1",
    identity: async () => trainer.version,
    inspect: async () => ({
      trainable: true,
      reason: null,
      slidingWindow: null,
      trainingMemory: { device: "cpu", plansMb: [900, 500] },
    }),
    device: async () => ({ ...processor, memoryFreeMb: freeMb }),
  };
  models = createModels({
    db,
    clock: () => 1000,
    emit: () => void nChanges++,
    trainer,
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

  it("resolve by a name that is meant: in other letters, without its quantisation, but never two ways", async () => {
    const path = join(dir, "Llama-3.2-3B-Instruct-Q4_K_M.gguf");
    await copyFile(tinyModel, path);
    const { id } = await models.handlers.add({ path }, signal);
    for (const name of ["llama-3.2-3b-instruct", "Llama-3.2-3B-Instruct-q4_k_m", "Llama-3.2-3B-Instruct-Q4_K_M.gguf"])
      expect((await models.api.resolveModel(name)).id).toBe(id);
    await expect(models.api.resolveModel("llama-3.2-3b-instruct-q8_0")).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      hint: expect.stringContaining("Llama-3.2-3B-Instruct-Q4_K_M, "),
    });
    await expect(models.api.resolveModel("llama-3.2-1b-instruct")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    const other = join(dir, "Llama-3.2-3B-Instruct-Q8_0.gguf");
    await copyFile(otherModel, other);
    await models.handlers.add({ path: other }, signal);
    await expect(models.api.resolveModel("llama-3.2-3b-instruct")).rejects.toMatchObject({
      message: expect.stringMatching(/can mean .*Q4_K_M or .*Q8_0/),
    });
    expect((await models.api.resolveModel("llama-3.2-3b-instruct-q4_k_m")).id).toBe(id);
  });

  it("are asked about again when another trainer is there, and hashed no second time", async () => {
    const { id } = await models.handlers.add({ path: tinyModel }, signal);
    trainer.inspect = async () => ({ trainable: false, reason: "no longer", slidingWindow: 512, trainingMemory: null });
    expect((await models.handlers.list({}, signal))[0]).toMatchObject({ trainable: true });
    trainer.version = "2";
    const [row] = await models.handlers.list({}, signal);
    expect(row).toMatchObject({ id, trainable: false, notTrainableReason: "no longer", slidingWindow: 512 });
    expect(row?.notes).toEqual([expect.stringContaining("sliding window is 512 tokens")]);
  });

  it("say with how much of the memory that is free now they can be trained, and ask the trainer no second time", async () => {
    const added = await models.handlers.add({ path: tinyModel }, signal);
    expect(added.training).toEqual({
      isTrainable: true,
      reason: null,
      device: "cpu",
      memoryMb: 900,
      freeMb: 8000,
      fits: true,
    });
    trainer.inspect = () => Promise.reject(new Error("asked again"));
    freeMb = 600; // only the smaller plan fits
    expect((await models.handlers.list({}, signal))[0]?.training).toMatchObject({ memoryMb: 500, fits: true });
    freeMb = 400;
    expect((await models.handlers.list({}, signal))[0]?.training).toMatchObject({ memoryMb: 500, fits: false });
  });

  it("are told of at once when they lack a chat template, and keep the one that they are given", async () => {
    const bare = join(fixturesDir, "reference/model-f32.gguf");
    expect(await models.handlers.inspect({ path: bare }, signal)).toMatchObject({
      hasChatTemplate: false,
      notes: [expect.stringContaining("no chat template"), expect.stringContaining("context is 512 tokens")],
    });
    const chatTemplate = join(dir, "template.jinja");
    await writeFile(chatTemplate, "nothing of the kind");
    await expect(models.handlers.add({ path: bare, chatTemplate }, signal)).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
    await writeFile(chatTemplate, "{% for m in messages %}{{ m['content'] }}{% endfor %}");
    expect(await models.handlers.add({ path: bare, chatTemplate }, signal)).toMatchObject({ hasChatTemplate: true });
    trainer.version = "2";
    await models.handlers.list({}, signal);
    expect(models.api.chatTemplateOf(bare)).toContain("for m in messages");
    expect(models.api.chatTemplateOf(tinyModel)).toBeUndefined();
  });

  it.each([
    ["mmproj-tiny.gguf", "projector", /vision projector \(mmproj\), not a chat model/],
    ["tiny-00001-of-00002.gguf", "part", /part 1 of 2 of a split file/],
  ])("are what they are: %s", async (name, purpose, what) => {
    const path = join(fixturesDir, "models", name);
    const facts = await models.handlers.inspect({ path }, signal);
    expect(facts).toMatchObject({ purpose, trainable: false, notTrainableReason: expect.stringMatching(what) });
    expect(facts.notes).toHaveLength(1);
    await expect(models.handlers.add({ path }, signal)).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringMatching(what),
      hint: expect.stringMatching(/\w/),
    });
    expect(await models.handlers.list({}, signal)).toEqual([]);
  });

  it("are no chat models when they embed, by their architecture or by how they pool", async () => {
    const path = join(dir, "embedder.gguf");
    for (const bytes of [ggufOf("bert", "bert.pooling_type", 1), ggufOf("qwen3", "qwen3.pooling_type", 3)]) {
      await writeFile(path, bytes);
      await expect(models.handlers.add({ path }, signal)).rejects.toMatchObject({
        code: "MODEL_INVALID",
        message: expect.stringContaining("an embedding model, not a chat model"),
      });
    }
    await writeFile(path, ggufOf("qwen3", "qwen3.pooling_type", 0));
    expect(await models.handlers.add({ path }, signal)).toMatchObject({ purpose: "text" });
  });

  it("of another byte order are called big-endian, and not cut short", async () => {
    const path = join(fixturesDir, "models/tiny-be.gguf");
    for (const ask of [models.handlers.inspect, models.handlers.add])
      await expect(ask({ path }, signal)).rejects.toMatchObject({
        code: "MODEL_INVALID",
        message: expect.stringContaining("big-endian"),
        hint: expect.stringContaining("little-endian"),
      });
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

/** The smallest file with an architecture, one number and one tensor. */
function ggufOf(architecture: string, key: string, value: number): Buffer {
  const u32 = (n: number) => Buffer.from(Uint32Array.of(n).buffer);
  const u64 = (n: number) => Buffer.from(BigUint64Array.of(BigInt(n)).buffer);
  const text = (words: string) => Buffer.concat([u64(Buffer.byteLength(words)), Buffer.from(words)]);
  const header = [Buffer.from("GGUF"), u32(3), u64(1), u64(2)];
  const metadata = [text("general.architecture"), u32(8), text(architecture), text(key), u32(4), u32(value)];
  const tensor = [text("token_embd.weight"), u32(1), u64(32), u32(0), u64(0)];
  const head = Buffer.concat([...header, ...metadata, ...tensor]);
  return Buffer.concat([head, Buffer.alloc(32 - (head.length % 32)), Buffer.alloc(128)]);
}
