import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AdapterCard } from "../../main/engine/training/index.ts";
import { readGgufHeader } from "../../main/engine/gguf/index.ts";
import { sha256OfFile } from "../../main/engine/lib/files.ts";
import type { ModelRow, ParityReport } from "../../main/shared/contract/model.ts";
import { ensureTrainerBuilt } from "../../native-trainer/build.ts";
import { rootDir, runCli, runJson } from "../harness/cli.ts";
import { ensureGemma } from "../harness/model-cache.ts";

/** A second real architecture from the command line: a base model without chat template, with a window of 512 tokens. */
const template = join(rootDir, "test/fixtures/chat-templates/gemma-like.jinja");
let dir: string;
let model: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "gemma-"));
  await ensureTrainerBuilt();
  model = await ensureGemma();
}, 900_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const inWorkspace = (...args: string[]) => runJson(["--workspace", dir, ...args], { timeoutMs: 280_000 });

/** A good pair, and one whose responses end beyond the window though its prompt is short. */
function writePairs(): string {
  const ok = readFileSync(join(rootDir, "test/fixtures/training-cases/ok.jsonl"), "utf8").trim();
  const long = {
    prompt: "What does annealing do?",
    chosen: "It softens a metal. ".repeat(150),
    rejected: "It paints.",
  };
  const path = join(dir, "pairs.jsonl");
  writeFileSync(path, `${ok}\n${JSON.stringify(long)}\n`);
  return path;
}

async function train(name: string) {
  const out = join(dir, name);
  const settings = ["max_steps=3", "lora.r=2", "learning_rate=1e-3"].flatMap((setting) => ["--set", setting]);
  const args = ["--stage", "orpo", "--model", model, "--pairs", writePairs(), "--out", out, ...settings];
  const ended = await runCli(["--workspace", dir, "--json", "train", ...args], { timeoutMs: 280_000 });
  const lines = ended.stdout.trim().split("\n");
  return { ...ended, out, events: lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("without a chat template it is added with what stands in the way, and training refuses with the next step", async () => {
  const { code, json } = await inWorkspace("models", "add", model);
  expect(code).toBe(0);
  const row = json as ModelRow;
  expect(row).toMatchObject({ architecture: "gemma3", hasChatTemplate: false, slidingWindow: 512, trainable: true });
  expect(row.vocabularySize).toBe(262_144);
  expect(row.notes).toEqual([
    expect.stringMatching(/no chat template.*--chat-template FILE/),
    expect.stringMatching(/sliding window is 512 tokens: longer pairs are dropped/),
  ]);
  const refused = await train("refused.gguf");
  expect(refused.code).not.toBe(0);
  expect(refused.events.at(-1)).toMatchObject({
    error: { code: "MODEL_INCOMPATIBLE", hint: expect.stringContaining("--chat-template") },
  });
});

test("with a template given it trains, drops the pair beyond its window, and llama.cpp shows all of the adapter", async () => {
  const added = await inWorkspace("models", "add", model, "--chat-template", template);
  expect(added).toMatchObject({ code: 0, json: { hasChatTemplate: true, notes: [expect.stringContaining("512")] } });

  const { code, stderr, events, out } = await train("adapter.gguf");
  expect(code, stderr).toBe(0);
  expect(events.filter(({ event }) => event === "step")).toHaveLength(3);
  expect(events).toContainEqual({
    event: "warning",
    message: expect.stringMatching(/^1 of 2 pairs dropped: longer than the 512 tokens/),
  });
  const done = events.at(-1)!;
  expect(done).toMatchObject({ event: "done", nSteps: 3, parity: "passed" });
  expect(done["lastLoss"]).toBeLessThan(done["firstLoss"] as number);

  const verify = (file: string) => inWorkspace("adapter", "verify", file, "--model", model);
  const good = await verify(out);
  expect(good).toMatchObject({ code: 0, json: { verdict: "passed", reasons: [] } });
  const { share, changeTrained } = (good.json as ParityReport).measurements.at(-1)!;
  expect(changeTrained!).toBeGreaterThan(0.01);
  expect(Math.abs(share! - 1)).toBeLessThan(0.02);

  const none = await verify(await withoutEffect(out));
  expect(none).toMatchObject({ code: 2, json: { error: { code: "PARITY_FAILED" } } });
  const { report } = (none.json as { error: { details: { report: ParityReport } } }).error.details;
  expect(report.verdict).toBe("failed");
  expect(report.reasons.join(" ")).not.toContain("SHA-256");
}, 300_000);

/** A copy with zeros for B, and a card as if it had been written for this file: only the numbers can tell. */
async function withoutEffect(adapter: string): Promise<string> {
  const bytes = readFileSync(adapter);
  const { tensors } = await readGgufHeader(adapter);
  const ofB = tensors.filter(({ name }) => name.endsWith(".lora_b"));
  for (const { start, sizeBytes } of ofB) bytes.fill(0, start, start + sizeBytes);
  const path = join(dir, "none.gguf");
  writeFileSync(path, bytes);
  const card = JSON.parse(readFileSync(adapter.replace(/\.gguf$/, ".json"), "utf8")) as AdapterCard;
  writeFileSync(join(dir, "none.json"), JSON.stringify({ ...card, sha256: await sha256OfFile(path) }));
  return path;
}
