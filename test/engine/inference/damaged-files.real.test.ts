import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestHost } from "../../harness/model-host.ts";

const fixturesDir = resolve(import.meta.dirname, "../../fixtures");
const intact = readFileSync(join(fixturesDir, "chat-templates/llama3.gguf"));
const adapter = readFileSync(join(fixturesDir, "reference/adapter-init.gguf"));
const referenceModel = join(fixturesDir, "reference/model-f32.gguf");

const { host, runner } = startTestHost();
let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "preflexor-damaged-"))));
afterAll(async () => {
  await host.stop();
  await rm(dir, { recursive: true, force: true });
});

async function write(bytes: Buffer): Promise<string> {
  const path = join(dir, "file.gguf");
  await writeFile(path, bytes);
  return path;
}
const generate = (modelPath: string, adapterPath: string | null = null, content = "Hi") =>
  runner.generate(
    {
      modelPath,
      adapterPath,
      messages: [{ role: "user", content }],
      sampler: { temperature: 0, seed: 1, maxTokens: 3 },
    },
    () => {},
  );
const renamed = (from: string, to: string) => Buffer.from(intact.toString("latin1").replaceAll(from, to), "latin1");

describe("what llama.cpp is not given, or refuses", () => {
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ["a missing model", () => generate(join(dir, "none.gguf")), "MODEL_NOT_FOUND", /none\.gguf/],
    [
      "a file of another kind",
      async () => generate(await write(Buffer.from("%PDF-1.7 and so on and so on"))),
      "MODEL_INVALID",
      /begin with GGUF/,
    ],
    [
      "a truncated model",
      async () => generate(await write(intact.subarray(0, 40_000))),
      "MODEL_INVALID",
      /the file has 40000/,
    ],
    [
      "an unknown architecture",
      async () => generate(await write(renamed("llama", "llamx"))),
      "MODEL_INCOMPATIBLE",
      /cannot load/,
    ],
    [
      "a missing tensor",
      async () => generate(await write(renamed("blk.0.ffn_up", "blk.0.ffn_xx"))),
      "MODEL_INCOMPATIBLE",
      /cannot load/,
    ],
    ["a model without a chat template", () => generate(referenceModel), "MODEL_INCOMPATIBLE", /no chat template/],
    [
      "a truncated adapter",
      async () =>
        runner.logProbs({
          modelPath: referenceModel,
          adapterPath: await write(adapter.subarray(0, 20_000)),
          sequences: [{ ids: [1, 2], from: 1 }],
        }),
      "ADAPTER_INVALID",
      /not a whole GGUF/,
    ],
    [
      "a model given as an adapter",
      () =>
        runner.logProbs({
          modelPath: referenceModel,
          adapterPath: referenceModel,
          sequences: [{ ids: [1, 2], from: 1 }],
        }),
      "ADAPTER_INVALID",
      /no LoRA adapter/,
    ],
    [
      "a prompt beyond the context",
      async () => generate(await write(intact), null, "silk ".repeat(600)),
      "CONTEXT_OVERFLOW",
      /context of 512/,
    ],
  ])("is a clear error: %s", async (_, run, code, message) => {
    await expect(run()).rejects.toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it("never cost the process, which goes on with a whole file", async () => {
    expect((await generate(await write(intact))).nTokens).toBeGreaterThan(0);
    expect(host.generation).toBe(1);
  });

  it("a file that is replaced is loaded anew", async () => {
    const path = await write(intact);
    await generate(path);
    const gemma = readFileSync(join(fixturesDir, "chat-templates/gemma.gguf"));
    await writeFile(path, gemma);
    const messages = [{ role: "user" as const, content: "Hi" }];
    const fresh = await runner.encodePair({ modelPath: path, messages, chosen: "a", rejected: "b" });
    const expected = await runner.encodePair({
      modelPath: join(fixturesDir, "chat-templates/gemma.gguf"),
      messages,
      chosen: "a",
      rejected: "b",
    });
    expect(fresh).toEqual(expected);
  });

  it("an adapter that is written again under the same path counts anew", async () => {
    const sequences = [{ ids: [1, 5, 9, 40, 41], from: 1 }];
    const adapterPath = await write(adapter);
    const [first] = await runner.logProbs({ modelPath: referenceModel, adapterPath, sequences });
    await writeFile(adapterPath, readFileSync(join(fixturesDir, "reference/final-adapter-orpo.gguf")));
    const [second] = await runner.logProbs({ modelPath: referenceModel, adapterPath, sequences });
    expect(second).not.toEqual(first);
  });
});
