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

test("the exported adapter does to llama.cpp what was trained, and the report says how much that is", async () => {
  const { code, json } = await verify(adapter);
  expect(code).toBe(0);
  const report = json as ParityReport;
  expect(report).toMatchObject({ verdict: "passed", reasons: [] });
  const { changeTrained, share, uncertainty, noise } = report.measurements.at(-1)!;
  expect(changeTrained).toBeGreaterThan(0.01);
  expect(Math.abs(share! - 1)).toBeLessThan(0.01);
  expect(uncertainty).toBeLessThan(0.02);
  expect(noise).toBeLessThan(0.02 * changeTrained!);
  expect(report.rows).toHaveLength(6);

  const inWords = await runCli(["--workspace", dir, "adapter", "verify", adapter, "--model", model]);
  expect(inWords.stdout).toMatch(/the training changed a token's log-prob by 0\.\d+, llama\.cpp shows 0\.\d+, \d+ % ±/);
  expect(inWords.stdout).toContain("Parity passed.");
});

test("an adapter of rank 1 is trained, inspected and verified", async () => {
  const rank1 = join(dir, "rank-1.gguf");
  const args = ["--stage", "orpo", "--model", model, "--pairs", join(dir, "pairs.jsonl"), "--out", rank1];
  const settings = ["--set", "lora.r=1", "--set", "max_steps=1", "--set", "learning_rate=1e-3"];
  const trained = await runCli(["--workspace", dir, "train", ...args, ...settings], { timeoutMs: 280_000 });
  expect(trained.code, trained.stderr).toBe(0);
  const facts = await runJson(["--workspace", dir, "adapter", "inspect", rank1]);
  expect(facts).toMatchObject({ code: 0, json: { r: 1, nTensors: 420 } });
  expect(await verify(rank1)).toMatchObject({ code: 0, json: { verdict: "passed" } });
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
  expect((byNumbers.json as Failure).error.details.report.reasons.join(" ")).toMatch(
    /of the change that was trained|Token by token the change differs/,
  );
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
