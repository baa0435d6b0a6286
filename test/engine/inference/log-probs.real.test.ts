import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Token } from "node-llama-cpp";
import { afterAll, describe, expect, it } from "vitest";
import { createChatModels } from "../../../main/engine/inference/host/chat-model.ts";
import { logProbOf, logProbs } from "../../../main/engine/inference/host/log-probs.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";

const fixturesDir = resolve(import.meta.dirname, "../../fixtures");
const referenceDir = join(fixturesDir, "reference");
const signal = new AbortController().signal;

type Pair = { prompt: number[]; chosen: number[]; rejected: number[] };
type GoldenPair = { chosen_logp_sum: number; rejected_logp_sum: number };

const models = createChatModels();
afterAll(() => models.unload());

const readJson = (path: string) => JSON.parse(readFileSync(path, "utf8")) as unknown;
const pairs = readFileSync(join(referenceDir, "pairs.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Pair);
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const scoreOf = (modelPath: string, adapterPath: string | null, sequences: { ids: number[]; from: number }[]) =>
  logProbs(models, { modelPath, adapterPath, sequences }, signal);

/** F32 tensors of a safetensors file: eight bytes of header length, a JSON header, the data. */
function readSafetensors(path: string): Record<string, { shape: number[]; data: Float32Array }> {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, start).toString()) as Record<
    string,
    { shape: number[]; data_offsets: [number, number] }
  >;
  return Object.fromEntries(
    Object.entries(header).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => {
        const bytes = file.subarray(start + from, start + to);
        return [name, { shape, data: new Float32Array(new Uint8Array(bytes).buffer) }];
      },
    ),
  );
}

function logSoftmaxAt(logits: Float32Array, index: number): number {
  const max = Math.max(...logits);
  return logits[index]! - max - Math.log(sum([...logits].map((logit) => Math.exp(logit - max))));
}

describe("log-probs", () => {
  // ggml looks GELU up in a table of F16 numbers, which is what the wider limit of gemma3 is for
  it.each([
    ["llama", "", 1e-5],
    ["tied llama", "-tied", 1e-5],
    ["qwen2", "-qwen2", 1e-5],
    ["qwen3", "-qwen3", 1e-5],
    ["smollm3", "-smollm3", 1e-5],
    ["gemma3", "-gemma3", 5e-5],
  ])("with an adapter equal TRL's, pair by pair: %s", async (_, suffix, limit) => {
    const sequences = pairs.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].map((response) => ({ ids: [...prompt, ...response], from: prompt.length })),
    );
    const adapterPath = join(referenceDir, `adapter-init${suffix}.gguf`);
    const scores = await scoreOf(join(referenceDir, `model${suffix}-f32.gguf`), adapterPath, sequences);
    const { pairs: expected } = readJson(join(referenceDir, `golden-orpo${suffix}.json`)) as { pairs: GoldenPair[] };
    for (const [index, { chosen_logp_sum: chosen, rejected_logp_sum: rejected }] of expected.entries()) {
      expect(Math.abs(sum(scores[2 * index]!) / chosen - 1)).toBeLessThan(limit);
      expect(Math.abs(sum(scores[2 * index + 1]!) / rejected - 1)).toBeLessThan(limit);
    }
  });

  it.each(["base", "adapter"])("equal the log-softmax of the reference logits, token by token: %s", async (name) => {
    const { shape, data } = readSafetensors(join(fixturesDir, "gguf/logits-pair0-chosen-last6.safetensors"))[name]!;
    const [nRows = 0, nVocabulary = 0] = shape;
    const { prompt, chosen } = pairs[0]!;
    const ids = [...prompt, ...chosen];
    // row i holds the logits behind position ids.length - nRows + i; the last row predicts what is not there
    const from = ids.length - nRows + 1;
    const adapterPath = name === "base" ? null : join(referenceDir, "adapter-init.gguf");
    const [logps = []] = await scoreOf(join(referenceDir, "model-f32.gguf"), adapterPath, [{ ids, from }]);
    expect(logps).toHaveLength(nRows - 1);
    logps.forEach((logp, row) => {
      const logits = data.subarray(row * nVocabulary, (row + 1) * nVocabulary);
      expect(Math.abs(logp - logSoftmaxAt(logits, ids[from + row]!))).toBeLessThan(1e-4);
    });
  });

  it("do not depend on what was scored before, nor on how many tokens are asked for", async () => {
    const { chatModelPath } = await ensureDemoModels();
    const { template } = await models.load(chatModelPath);
    const { prompt, chosen } = template().encodePair(
      [{ role: "user", content: "What is silk? ".repeat(30) }],
      "Silk is a protein fibre made by spiders and moths.",
      "x",
    );
    const ids = [...prompt, ...chosen];
    const [alone = []] = await scoreOf(chatModelPath, null, [{ ids, from: prompt.length }]);
    const [, again] = await scoreOf(chatModelPath, null, [
      { ids: ids.toReversed(), from: 100 },
      { ids, from: prompt.length },
    ]);
    const [tail] = await scoreOf(chatModelPath, null, [{ ids, from: ids.length - 3 }]);
    expect(again).toEqual(alone);
    expect(tail).toEqual(alone.slice(-3));
    expect(alone.every((logp) => logp < 0 && logp > -40)).toBe(true);
  });

  it("take out the factor by which the library's own sum is off", () => {
    const exact = Array.from({ length: 50_000 }, (_, i) => 1 / (i + 1) ** 2);
    const total = sum(exact);
    const probabilities = new Map(exact.map((p, token) => [token as Token, Math.fround((p / total) * 1.002)]));
    for (const token of [0, 7, 49_999]) {
      expect(logProbOf(probabilities, token as Token)).toBeCloseTo(Math.log(exact[token]! / total), 6);
    }
  });

  it("refuse ids that are not in the vocabulary, and a start behind the end", async () => {
    const path = join(referenceDir, "model-f32.gguf");
    await expect(scoreOf(path, null, [{ ids: [1, 512], from: 1 }])).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
    });
    await expect(scoreOf(path, null, [{ ids: [1, 2], from: 2 }])).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
  });

  it("an adapter of another architecture or shape is refused by name", async () => {
    const path = join(referenceDir, "model-f32.gguf");
    const { chatModelPath } = await ensureDemoModels();
    const sequences = [{ ids: [1, 2], from: 1 }];
    const qwen = join(referenceDir, "adapter-init-qwen2.gguf");
    await expect(scoreOf(path, qwen, sequences)).rejects.toMatchObject({
      code: "ADAPTER_INVALID",
      message: expect.stringContaining("qwen2") as unknown,
    });
    const small = join(referenceDir, "adapter-init.gguf");
    await expect(scoreOf(chatModelPath, small, sequences)).rejects.toMatchObject({
      code: "ADAPTER_INVALID",
      message: expect.stringContaining("blk.0.") as unknown,
    });
  });
});
