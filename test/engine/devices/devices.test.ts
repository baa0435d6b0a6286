import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { closeDatabase, openDatabase } from "../../../main/engine/db/index.ts";
import { createDevices, findPackages } from "../../../main/engine/devices/index.ts";
import { probePackage } from "../../../main/engine/devices/probe.ts";

let dir: string;
let packagesDir: string;
let db: ReturnType<typeof openDatabase>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-devices-"));
  packagesDir = join(dir, "packages");
  for (const name of ["linux-x64", "linux-x64-vulkan", "linux-x64-cuda", "linux-arm64"])
    mkdirSync(join(packagesDir, name, "bins", name), { recursive: true });
  mkdirSync(join(packagesDir, "linux-x64-cuda-ext/bins/linux-x64-cuda/fallback"), { recursive: true });
  db = openDatabase(join(dir, "workspace"));
  vi.stubEnv("PREFLEXOR_GGML_DIR", "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

/** A trainer that answers by the folder it was given; each start leaves a line in `starts`. */
function scripted(byFolder: Record<string, string>) {
  const trainerPath = join(dir, "trainer");
  const cases = Object.entries(byFolder).map(([name, script]) => `${JSON.stringify(name)}: () => { ${script} }`);
  writeFileSync(
    trainerPath,
    `#!${process.execPath}
    const dir = process.env.PREFLEXOR_GGML_DIR;
    require("node:fs").appendFileSync(${JSON.stringify(join(dir, "starts"))}, dir + "\\n");
    ({ ${cases.join(", ")} })[dir.split("/").at(-1)]();`,
  );
  chmodSync(trainerPath, 0o755);
  return trainerPath;
}
const nStarts = () =>
  existsSync(join(dir, "starts")) ? readFileSync(join(dir, "starts"), "utf8").split("\n").length - 1 : 0;

const cpu = {
  name: "cpu",
  description: "A processor",
  backend: "cpu",
  type: "cpu",
  memory_free_mb: 10,
  memory_total_mb: 20,
};
const card = { ...cpu, name: "vulkan0", description: "A card", backend: "vulkan", type: "gpu" };
type Answer = { devices: object[]; backends?: object[]; drivers?: object };
const answer = ({ devices, backends = [], drivers = { cuda: false, vulkan: false } }: Answer) =>
  `console.log(JSON.stringify(${JSON.stringify({ event: "devices", devices, backends, drivers })}))`;
const noDriver = answer({ devices: [cpu] });

const open = (trainerPath: string, device?: string) =>
  createDevices({ db, config: { trainerPath, packagesDir, device }, changed: () => {} });

test("the packages of this system, best first, with the second CUDA build beside the first", () => {
  expect(findPackages(packagesDir, {}, "linux", "x64").map(({ name }) => name)).toEqual([
    "linux-x64-cuda",
    "linux-x64-vulkan",
    "linux-x64",
  ]);
  expect(findPackages(packagesDir, {}, "linux", "x64")[0]?.fallbackDir).toBe(
    join(packagesDir, "linux-x64-cuda-ext/bins/linux-x64-cuda/fallback"),
  );
  expect(findPackages(packagesDir, {}, "win32", "x64")).toEqual([]);
});

test("a user's own PREFLEXOR_GGML_DIR is the only folder that counts", () => {
  const own = findPackages(packagesDir, { PREFLEXOR_GGML_DIR: "/my/ggml" }, "linux", "x64");
  expect(own.map(({ ggmlDir }) => ggmlDir)).toEqual(["/my/ggml"]);
});

test("each package is asked once a session; the card's package computes on the card, and the processor is listed once", async () => {
  const devices = open(
    scripted({
      "linux-x64-cuda": noDriver,
      "linux-x64-vulkan": answer({ devices: [card, cpu], drivers: { cuda: false, vulkan: true } }),
      "linux-x64": answer({ devices: [cpu] }),
    }),
  );
  const report = await devices.handlers.list({});
  expect(report.devices.map(({ name, package: of }) => [name, of])).toEqual([
    ["vulkan0", "linux-x64-vulkan"],
    ["cpu", "linux-x64"],
  ]);
  expect(report).toMatchObject({ chosen: { name: "vulkan0" }, wantedBy: "default" });
  const { location } = await devices.api.choose();
  expect(location.ggmlDir).toBe(join(packagesDir, "linux-x64-vulkan/bins/linux-x64-vulkan"));
  expect(await devices.api.inferenceGpu()).toBe("vulkan");
  expect((await devices.api.choose("cpu")).location.ggmlDir).toBe(join(packagesDir, "linux-x64/bins/linux-x64"));
  expect(nStarts()).toBe(3);
  await devices.handlers.list({ refresh: true });
  expect(nStarts()).toBe(6);
});

test("the workspace's choice is kept, the command's wins over it, and one that is not there is refused", async () => {
  const trainer = scripted({
    "linux-x64-cuda": noDriver,
    "linux-x64-vulkan": answer({ devices: [card, cpu] }),
    "linux-x64": noDriver,
  });
  await open(trainer).handlers.choose({ device: "CPU" });
  expect(await open(trainer).handlers.list({})).toMatchObject({ chosen: { name: "cpu" }, wantedBy: "workspace" });
  expect(await open(trainer).api.inferenceGpu()).toBe(false);
  expect(await open(trainer, "vulkan0").handlers.list({})).toMatchObject({
    chosen: { name: "vulkan0" },
    wantedBy: "command",
  });
  await expect(open(trainer).handlers.choose({ device: "cuda0" })).rejects.toMatchObject({
    code: "DEVICE_UNAVAILABLE",
  });
  expect(await open(trainer, "cuda0").handlers.list({})).toMatchObject({
    chosen: null,
    problem: { message: expect.stringContaining("there is no NVIDIA driver") },
  });
});

test("an NVIDIA driver without its runtime is a fault that names the library, and says so when the processor is taken", async () => {
  const missing = "libcublas.so.13: cannot open shared object file: No such file or directory";
  const devices = open(
    scripted({
      "linux-x64-cuda": answer({
        devices: [cpu],
        backends: [{ name: "cuda", library: "libggml-cuda.so", devices: 0, problem: missing }],
        drivers: { cuda: true, vulkan: false },
      }),
      "linux-x64-vulkan": noDriver,
      "linux-x64": noDriver,
    }),
  );
  const { unused } = await devices.handlers.list({});
  expect(unused[0]).toMatchObject({ package: "linux-x64-cuda", isFault: true });
  expect(unused[0]?.reason).toContain("libcublas.so.13 is missing");
  expect(unused[0]?.nextStep).toContain("CUDA 13 runtime");
  expect(unused[1]).toMatchObject({ package: "linux-x64-vulkan", isFault: false });
  expect((await devices.api.choose()).fault).toContain("libcublas.so.13 is missing");
});

test("a driver that crashes, and one that never answers, cost only their own package", async () => {
  const trainerPath = scripted({
    "linux-x64-cuda": `process.stderr.write("device lost\\n"); process.kill(process.pid, "SIGSEGV")`,
    "linux-x64-vulkan": "setInterval(() => {}, 1000)",
    "linux-x64": noDriver,
  });
  const [cuda, vulkan, processor] = findPackages(packagesDir, {}, "linux", "x64");
  const startedAt = performance.now();
  expect((await probePackage(trainerPath, vulkan!, 500)).unused).toMatchObject({
    reason: expect.stringContaining("no answer in time"),
    isFault: true,
  });
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect((await probePackage(trainerPath, cuda!)).unused?.reason).toMatch(/SIGSEGV.*device lost/);
  expect((await probePackage(trainerPath, processor!)).devices).toHaveLength(1);
});

test("without a trainer training says so, and the inference library looks for itself", async () => {
  const devices = open(join(dir, "nothing"));
  await expect(devices.api.choose()).rejects.toMatchObject({ code: "TRAINER_MISSING" });
  expect(await devices.api.inferenceGpu()).toBe("auto");
});

/** A trainer whose processor answers `inspect` with these lines, and then does `end`. */
function inspecting(lines: object[], end = "") {
  const said = lines.map((line) => `console.log(${JSON.stringify(JSON.stringify(line))});`).join(" ");
  const script = `if (process.argv[2] !== "inspect") { ${answer({ devices: [cpu] })} } else { ${said} ${end} }`;
  return scripted({ "linux-x64-cuda": noDriver, "linux-x64-vulkan": noDriver, "linux-x64": script });
}
const model = { event: "model", trainable: true, reason: null, sliding_window: 0 };

test("a model is inspected for the chosen device, and the answer is valid for that one", async () => {
  const memory = {
    event: "training_memory",
    device: cpu,
    plans: [{ memory_estimate_mb: 7 }, { memory_estimate_mb: 5 }],
  };
  const trainer = inspecting(
    [model, memory],
    "if (process.argv[3] + process.argv[4] !== '--devicecpu') process.exit(1)",
  );
  const { inspector } = open(trainer).api;
  expect(await inspector.inspect("m.gguf")).toEqual({
    trainable: true,
    reason: null,
    slidingWindow: null,
    trainingMemory: { device: "cpu", plansMb: [7, 5] },
  });
  expect(await inspector.identity()).toMatch(/ cpu$/);
  expect(await inspector.device()).toMatchObject({ name: "cpu", memoryFreeMb: 10 });
});

test("a device that ends the trainer takes the word on memory with it, not that on the model", async () => {
  const { inspector } = open(inspecting([model], 'process.kill(process.pid, "SIGKILL")')).api;
  expect(await inspector.inspect("m.gguf")).toMatchObject({ trainable: true, reason: null, trainingMemory: null });
});

test("without a device a model is still inspected", async () => {
  const { inspector } = open(inspecting([model]), "cuda7").api;
  expect(await inspector.inspect("m.gguf")).toMatchObject({ trainable: true, trainingMemory: null });
  expect(await inspector.identity()).toMatch(/ no device$/);
  expect(await inspector.device()).toBeNull();
});
