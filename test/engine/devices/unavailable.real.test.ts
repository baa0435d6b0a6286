import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packagesDir } from "../../../main/cli/lib/paths.ts";
import { findPackages } from "../../../main/engine/devices/index.ts";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { runCli } from "../../harness/cli.ts";
import { makeTinyModel, TINY_PAIR } from "../../harness/tiny-model.ts";

const CUDA_PACKAGE = "linux-x64-cuda";

/** What the product says of a device that is not to be had, by its own command line and trainer. */
let dir: string;
let model: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "unavailable-"));
  model = makeTinyModel(join(dir, "tiny.gguf"));
  await ensureTrainerBuilt();
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test("a device that is asked for and not listed ends with exit code 3, its reason and what there is", async () => {
  const pairs = join(dir, "one.jsonl");
  writeFileSync(pairs, JSON.stringify(TINY_PAIR));
  const args = ["train", "--stage", "orpo", "--model", model, "--pairs", pairs, "--out", join(dir, "x.gguf")];
  const { code, stdout } = await runCli(["--workspace", join(dir, "missing"), "--json", "--device", "cuda7", ...args]);
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("cuda7"),
      hint: expect.stringContaining("cpu"),
    },
  });
});

test("doctor: a card's driver without the CUDA runtime is a fault that names the library and the next step", async ({
  skip,
}) => {
  skip(!findPackages(packagesDir).some(({ name }) => name === CUDA_PACKAGE), `${CUDA_PACKAGE} is not installed`);
  const loadable = spawnSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" }).stdout ?? "";
  const hasRuntime = [/libcudart\.so\.1[23] /, /libcublas\.so\.1[23] /].every((library) => library.test(loadable));
  skip(hasRuntime, "this machine has the CUDA runtime");
  skip(spawnSync("cc", ["--version"]).error !== undefined, "there is no C compiler to make the driver's library with");
  // a library of the driver's name is all that its presence is known by
  const built = spawnSync("cc", ["-shared", "-o", join(dir, "libcuda.so.1"), "-x", "c", "/dev/null"]);
  expect(built.status, String(built.stderr)).toBe(0);
  const { stdout } = await runCli(["--workspace", join(dir, "doctor"), "--json", "doctor"], {
    env: { LD_LIBRARY_PATH: dir },
  });
  const { findings } = JSON.parse(stdout) as { findings: { name: string; value: string; nextStep: string }[] };
  const cuda = findings.find(({ name }) => name === `package ${CUDA_PACKAGE}`);
  expect(cuda?.value).toMatch(/CUDA runtime is not there \(.*lib(cudart|cublas)\.so\.1\d is missing/);
  expect(cuda?.nextStep).toContain("Install NVIDIA's CUDA 13 runtime");
});
