import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { runCli } from "../../harness/cli.ts";
import { makeTinyModel } from "../../harness/tiny-model.ts";

/** What the product says of a device that is not to be had, by its own command line and trainer. */
let dir: string;
let model: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "vulkan-"));
  model = makeTinyModel(join(dir, "tiny.gguf"));
  await ensureTrainerBuilt();
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const pair = {
  prompt: "How does pore size matter?",
  chosen: "Wider pores let ions move.",
  rejected: "Pores are holes.",
};
test("a device that is asked for and not listed ends with exit code 3, its reason and what there is", async () => {
  const pairs = join(dir, "one.jsonl");
  writeFileSync(pairs, JSON.stringify(pair));
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

test("doctor: a card's driver without the CUDA runtime is a fault that names the library and the next step", async () => {
  // a library of the driver's name is all that its presence is known by
  const built = spawnSync("cc", ["-shared", "-o", join(dir, "libcuda.so.1"), "-x", "c", "/dev/null"]);
  expect(built.status, String(built.stderr)).toBe(0);
  const { stdout } = await runCli(["--workspace", join(dir, "doctor"), "--json", "doctor"], {
    env: { LD_LIBRARY_PATH: dir },
  });
  const { findings } = JSON.parse(stdout) as { findings: { name: string; value: string; nextStep: string }[] };
  const cuda = findings.find(({ name }) => name === "package linux-x64-cuda");
  expect(cuda?.value).toMatch(/CUDA runtime is not there \(.*lib(cudart|cublas)\.so\.1\d is missing/);
  expect(cuda?.nextStep).toContain("Install NVIDIA's CUDA 13 runtime");
});
