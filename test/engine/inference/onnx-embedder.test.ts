import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createOnnxEmbedder } from "../../../main/engine/inference/host/onnx-embedder.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

describe("all-MiniLM-L6-v2", () => {
  let embedder: Awaited<ReturnType<typeof createOnnxEmbedder>>;
  beforeAll(async () => void (embedder = await createOnnxEmbedder((await ensureDemoModels()).embedderDir)), 300_000);

  test("says what it is", async () => {
    expect(await embedder.space()).toEqual({
      model: "all-minilm-l6-v2",
      sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
      nDims: 384,
      maxTokens: 256,
    });
  });

  test("puts what means the same together, and gives unit vectors", async () => {
    const [silk, fibre, battery] = await embedder.embed([
      "Spider silk is stronger than steel.",
      "The thread that a spider spins has a higher strength than metal.",
      "The cathode stores lithium ions.",
    ]);
    expect(dot(silk!, silk!)).toBeCloseTo(1, 5);
    expect(dot(silk!, fibre!)).toBeGreaterThan(dot(silk!, battery!) + 0.3);
  });

  test("gives a text the same vector alone and among others", async () => {
    const texts = ["Nacre is tough.", "Silk is light and tough because of its crystals.", "Glass."];
    const together = await embedder.embed(texts);
    for (const [i, text] of texts.entries()) expect((await embedder.embed([text]))[0]).toEqual(together[i]);
  });

  test("counts the model's own tokens, without the special ones and without a cut", async () => {
    expect(await embedder.countTokens(["hello world", "", "toughness ".repeat(400)])).toEqual([2, 0, 800]);
  });

  test("refuses a text that does not fit instead of cutting it", async () => {
    await expect(embedder.embed(["silk ".repeat(254)])).resolves.toHaveLength(1);
    await expect(embedder.embed(["silk ".repeat(255)])).rejects.toMatchObject({
      code: "CONTEXT_OVERFLOW",
      details: { nTokens: 257, maxTokens: 256 },
    });
  });
});

test("a folder without a model, or with a broken one, is EMBEDDER_UNAVAILABLE", async () => {
  const dir = mkdtempSync(join(tmpdir(), "preflexor-embedder-"));
  try {
    await expect(createOnnxEmbedder(dir)).rejects.toMatchObject({ code: "EMBEDDER_UNAVAILABLE" });
    mkdirSync(join(dir, "onnx"));
    for (const name of ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model_quantized.onnx"])
      writeFileSync(join(dir, name), "{}");
    await expect(createOnnxEmbedder(dir)).rejects.toMatchObject({ code: "EMBEDDER_UNAVAILABLE" });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
