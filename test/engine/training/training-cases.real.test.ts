import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packagesDir } from "../../../main/cli/lib/paths.ts";
import { findPackages } from "../../../main/engine/devices/index.ts";
import { encodeMaskedPair } from "../../../main/engine/preference/index.ts";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import { encodePairs } from "../../../main/engine/training/encode-pairs.ts";
import { selectPairs } from "../../../main/engine/training/select-pairs.ts";
import type { TrainerPair } from "../../../main/engine/training/trainer-events.ts";
import { runTrainer } from "../../../main/engine/training/trainer-process.ts";
import { DEFAULT_MARKERS } from "../../../main/shared/markers.ts";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { runCli } from "../../harness/cli.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";
import { startTestHost } from "../../harness/model-host.ts";

/** The small inputs that users' files look like, on a real tokenizer, a real model and the real trainer. */
const cases = join(import.meta.dirname, "../../fixtures/training-cases");
const dir = mkdtempSync(join(tmpdir(), "training-cases-"));
const { host, runner } = startTestHost();
const deps = { runner } as unknown as TrainingDeps; // a file asks for nothing else
let modelPath: string;
let location: { trainerPath: string; ggmlDir: string };

beforeAll(async () => {
  const { ggmlDir } = findPackages(packagesDir).at(-1)!; // the processor's
  location = { trainerPath: await ensureTrainerBuilt(), ggmlDir };
  modelPath = (await ensureDemoModels()).chatModelPath;
}, 600_000);
afterAll(async () => {
  await host.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function encode(name: string, mask: "none" | "answer_only" = "none") {
  const { pairs } = await selectPairs(deps, { from: "file", path: join(cases, name) });
  return encodePairs(deps, { modelPath, pairs, mask, maxLength: 2048 }, new AbortController().signal);
}

test("the assistant's turn alone is the response, whatever the form of the file", async () => {
  const [ok] = (await encode("ok.jsonl")).lines;
  expect(ok!.chosen).toHaveLength(29);
  for (const name of ["ultrafeedback.jsonl", "implicit.jsonl", "bom.jsonl"]) {
    const { lines } = await encode(name);
    const { id: _id, ...pair } = lines[0]!;
    const { id: _other, ...expected } = ok!;
    expect(pair, name).toEqual(expected);
  }
});

test("of nested thinking only the final answer carries loss; thinking without an end is refused", async () => {
  const [nested] = (await encode("nested.jsonl", "answer_only")).lines;
  const messages = [{ role: "user" as const, content: "Q" }];
  const answer = await runner.encodePair({ modelPath, messages, chosen: "The answer is C.", rejected: "Other." });
  expect(nested!.chosen.filter((_, i) => nested!.chosen_mask?.[i] === 1)).toEqual(answer.chosen);
  await expect(encode("unclosed.jsonl", "answer_only")).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
});

async function score(lines: object[]): Promise<TrainerPair[]> {
  const [pairs, config] = [join(dir, "pairs.jsonl"), join(dir, "score.json")];
  writeFileSync(pairs, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  writeFileSync(
    config,
    JSON.stringify({ loss: "exo", reference: "base", label_smoothing: 0.005, model: modelPath, pairs }),
  );
  const scored: TrainerPair[] = [];
  await runTrainer(location, "score", [config], (event) => void (event.event === "pair" && scored.push(event)));
  return scored;
}

test("with <think> the mask is exact: to the loss, masked thinking is nothing but context", async () => {
  const markers = { ...DEFAULT_MARKERS, thinkingOpen: "<think>", thinkingClose: "</think>" };
  const answer = "Wider pores let ions move faster.";
  const pair = {
    modelPath,
    messages: [{ role: "user" as const, content: "How does pore size change ion transport?" }],
    chosen: `<think>\nReasoning Steps:\n- Small pores slow ions down.\n</think>\n${answer}`,
    rejected: answer,
    markers,
    mask: "answer_only" as const,
    seed: 1,
  };
  const masked = await encodeMaskedPair(runner, pair);
  const nThinking = masked.chosen_mask.indexOf(1);
  expect(nThinking).toBeGreaterThan(10);
  // zeros over the thinking, ones over the answer and its end of turn, token by token
  expect(masked.chosen.slice(nThinking)).toEqual(masked.rejected);
  expect(masked.chosen_mask).toEqual(masked.chosen.map((_, i) => (i < nThinking ? 0 : 1)));
  expect(masked.rejected_mask).toEqual(masked.rejected.map(() => 1));

  const thinking = masked.chosen.slice(0, nThinking);
  const asContext = { prompt: [...masked.prompt, ...thinking], chosen: masked.rejected, rejected: masked.rejected };
  const unmasked = { prompt: masked.prompt, chosen: masked.chosen, rejected: masked.rejected };
  const [byMask, byContext, whole] = await score([
    { id: "masked", ...masked },
    { id: "context", ...asContext },
    { id: "whole", ...unmasked },
  ]);
  expect(byMask!["chosen_tokens"]).toBe(masked.rejected.length);
  expect(whole!["chosen_tokens"]).toBe(masked.chosen.length);
  // no masked target is in the sum, so its gradient has no term of one
  expect(byMask!.chosen_logp_sum).toBeCloseTo(byContext!.chosen_logp_sum, 2);
  expect(Math.abs(whole!.chosen_logp_sum - byMask!.chosen_logp_sum)).toBeGreaterThan(1);
});

test("a dropped pair is said on screen, in JSON and in the run", async () => {
  const out = join(dir, "long.gguf");
  const settings = ["max_steps=1", "lora.r=2", "max_length=512"].flatMap((setting) => ["--set", setting]);
  const args = ["--stage", "orpo", "--model", modelPath, "--pairs", join(cases, "longprompt.jsonl"), "--out", out];
  const { code, stdout, stderr } = await runCli(["--workspace", dir, "--json", "train", ...args, ...settings], {
    timeoutMs: 280_000,
  });
  expect(code, stderr).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const message = expect.stringMatching(/^1 of 2 pairs dropped: the prompt alone/);
  expect(events).toContainEqual({ event: "warning", message });
  expect(events.at(-1)).toMatchObject({ event: "done", nSteps: 1, pairProblems: [{ n: 1, of: 2, message }] });
  const card = JSON.parse(readFileSync(join(dir, "long.json"), "utf8")) as Record<string, unknown>;
  expect(card["markers"]).toEqual(DEFAULT_MARKERS);

  // the same command again finds that it is done, and says so on screen at once
  const again = await runCli(["--workspace", dir, "train", ...args, ...settings]);
  expect(again.code, again.stderr).toBe(0);
  expect(again.stdout).toContain("1 steps");
}, 300_000);
