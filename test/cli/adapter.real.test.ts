import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureTrainerBuilt } from "../../native-trainer/build.ts";
import type { ParityReport } from "../../main/shared/contract/model.ts";
import { sha256OfFile } from "../../main/engine/lib/files.ts";
import { cacheDir } from "../harness/cache.ts";
import { runCli, runJson } from "../harness/cli.ts";
import { dequantiseGguf } from "../harness/dequantise-gguf.ts";
import { ensureDemoModels } from "../harness/model-cache.ts";

/** An adapter trained by the command line on a real model with F16 base weights, and what damage does to it. */
let dir: string;
let model: string;
let adapter: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "adapter-"));
  await ensureTrainerBuilt();
  const { chatModelPath } = await ensureDemoModels();
  model = await dequantiseGguf(chatModelPath, join(cacheDir(), "SmolLM2-135M-Instruct.F16.gguf"));
  adapter = join(dir, "adapter.gguf");
  const pairs = join(dir, "pairs.jsonl");
  const pair = { prompt: "What is a cuticle?", chosen: "It is the outer layer of a nematode.", rejected: "A car." };
  const second = { prompt: "What does annealing do?", chosen: "It softens a metal.", rejected: "It paints it." };
  writeFileSync(pairs, [pair, second].map((line) => JSON.stringify(line)).join("\n"));
  const settings = ["epochs=3", "learning_rate=1e-3", "lora.r=4", "gradient_accumulation_steps=2"];
  const args = ["train", "--stage", "orpo", "--model", model, "--pairs", pairs, "--out", adapter];
  const { code, stdout, stderr } = await runCli(
    ["--workspace", dir, "--json", ...args, ...settings.flatMap((setting) => ["--set", setting])],
    { timeoutMs: 280_000 },
  );
  expect(code, stderr).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; loss?: number; parity?: string });
  expect(events.filter((event) => event.event === "step")).toHaveLength(3);
  expect(events.at(-1)).toMatchObject({ event: "done", nSteps: 3, parity: "passed" });
}, 300_000);

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const verify = (file: string) => runJson(["--workspace", dir, "adapter", "verify", file, "--model", model]);

test("llama.cpp gives the trainer's log-probs with the exported adapter, to 1e-3 per token on an F16 base", async () => {
  const { code, json } = await verify(adapter);
  expect(code).toBe(0);
  const report = json as ParityReport;
  expect(report).toMatchObject({ verdict: "passed", reasons: [], tolerance: 1e-3 });
  // 3e-6 was measured; the verdict allows 1e-3
  expect(report.maxAbsDifference).toBeLessThan(1e-4);
  expect(report.adapterEffect).toBeGreaterThan(0.01);
  expect(report.rows).toHaveLength(6);
});

type Failure = { error: { code: string; details: { report: ParityReport } } };

test("a flipped bit is found by the hash; with the hash put right, by the numbers", async () => {
  const damaged = join(dir, "damaged.gguf");
  const card = JSON.parse(readFileSync(join(dir, "adapter.json"), "utf8")) as Record<string, unknown>;
  const bytes = readFileSync(adapter);
  // the sign of every eightieth number of the last half: plausible weights, and wrong ones
  for (let at = Math.floor(bytes.length / 8) * 4 + 3; at < bytes.length; at += 320) bytes[at] = bytes[at]! ^ 0x80;
  writeFileSync(damaged, bytes);
  writeFileSync(join(dir, "damaged.json"), JSON.stringify(card));
  const byHash = await verify(damaged);
  expect(byHash.code).toBe(2);
  expect((byHash.json as Failure).error.code).toBe("PARITY_FAILED");
  expect((byHash.json as Failure).error.details.report.reasons.join(" ")).toContain("SHA-256");

  writeFileSync(join(dir, "damaged.json"), JSON.stringify({ ...card, sha256: await sha256OfFile(damaged) }));
  const byNumbers = await verify(damaged);
  expect(byNumbers.code).toBe(2);
  expect((byNumbers.json as Failure).error.details.report.reasons.join(" ")).toContain("differ by");
});

test("a cut adapter and one with weights that are not finite are refused with the reason", async () => {
  const cut = join(dir, "cut.gguf");
  writeFileSync(cut, readFileSync(adapter).subarray(0, -1000));
  expect(await verify(cut)).toMatchObject({ code: 2, json: { error: { code: "PARITY_FAILED" } } });
  const notFinite = join(dir, "nan.gguf");
  copyFileSync(adapter, notFinite);
  const bytes = readFileSync(notFinite);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  writeFileSync(notFinite, bytes);
  expect(await verify(notFinite)).toMatchObject({ code: 2, json: { error: { code: "PARITY_FAILED" } } });
});
