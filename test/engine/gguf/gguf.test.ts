import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAdapterFacts, readHeaderFacts } from "../../../main/engine/models/facts.ts";
import { checkAdapterFits, readAdapter, readGgufHeader } from "../../../main/engine/gguf/index.ts";
import { createRandom } from "../../../main/engine/lib/random.ts";
import { AppError } from "../../../main/shared/errors.ts";

const fixturesDir = resolve(import.meta.dirname, "../../fixtures");
const modelPath = join(fixturesDir, "chat-templates/llama3.gguf");
const referenceDir = join(fixturesDir, "reference");
const intact = readFileSync(modelPath);

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "preflexor-gguf-"))));
afterAll(() => rm(dir, { recursive: true, force: true }));

async function damaged(change: (bytes: Buffer) => Buffer): Promise<string> {
  const path = join(dir, "damaged.gguf");
  await writeFile(path, change(Buffer.from(intact)));
  return path;
}

/** Overwrites the first occurrence of a text, length for length, or the bytes at a distance behind it. */
function behind(bytes: Buffer, text: string, distance: number, write: (offset: number) => void): Buffer {
  const at = bytes.indexOf(text);
  if (at < 0) throw new Error(`the fixture has no ${text}`);
  write(at + text.length + distance);
  return bytes;
}

describe("the header of a GGUF file", () => {
  it("is read with every tensor's place", async () => {
    const header = await readGgufHeader(modelPath);
    expect(header.metadata.get("general.architecture")).toBe("llama");
    expect(header.metadata.get("tokenizer.ggml.tokens")).toMatchObject({ length: 520 });
    const embedding = header.tensors.find(({ name }) => name === "token_embd.weight");
    expect(embedding).toMatchObject({ type: { name: "F16" }, shape: [32, 520], sizeBytes: 32 * 520 * 2 });
    const last = header.tensors.toSorted((a, b) => a.start - b.start).at(-1)!;
    expect(Math.ceil((last.start + last.sizeBytes) / 32) * 32).toBe(header.sizeBytes);
  });

  it.each<[string, (bytes: Buffer) => Buffer, RegExp]>([
    ["an empty file", () => Buffer.alloc(0), /the header at byte 0 needs 24 bytes/],
    ["another kind of file", () => Buffer.from("%PDF-1.7 something else entirely"), /does not begin with GGUF/],
    ["an old version", (b) => (b.writeUInt32LE(1, 4), b), /version 1 is neither/],
    ["a big-endian file", (b) => (b.writeUInt32BE(3, 4), b), /big-endian/],
    ["too many tensors", (b) => (b.writeBigUInt64LE(1n << 40n, 8), b), /tensors is no possible count/],
    ["a count beyond all numbers", (b) => (b.writeBigUInt64LE(~0n & ((1n << 64n) - 1n), 16), b), /no possible count/],
    ["an end within the metadata", (b) => b.subarray(0, 3000), /the file has 3000|not a whole/],
    ["an end within the tensor table", (b) => b.subarray(0, b.indexOf("blk.0.ffn_up.weight") + 4), /not a whole/],
    ["one missing byte at the end", (b) => b.subarray(0, b.length - 33), /ends at byte \d+, but the file has/],
    ["half of the file", (b) => b.subarray(0, b.length / 2), /not a whole/],
    [
      "a text longer than the file",
      (b) => behind(b, "general.architecture", 4, (at) => b.writeBigUInt64LE(1n << 33n, at)),
      /needs \d+ bytes/,
    ],
    [
      "an array longer than the file",
      (b) => behind(b, "tokenizer.ggml.tokens", 8, (at) => b.writeBigUInt64LE(1n << 45n, at)),
      /an array/,
    ],
    [
      "an unknown metadata type",
      (b) => behind(b, "general.architecture", 0, (at) => b.writeUInt32LE(99, at)),
      /metadata type 99/,
    ],
    [
      "an unknown tensor type",
      (b) => behind(b, "token_embd.weight", 20, (at) => b.writeUInt32LE(77, at)),
      /unknown type 77/,
    ],
    [
      "a tensor behind the end",
      (b) => behind(b, "token_embd.weight", 24, (at) => b.writeBigUInt64LE(1n << 30n, at)),
      /ends at byte/,
    ],
    [
      "an unaligned tensor",
      (b) => behind(b, "token_embd.weight", 24, (at) => b.writeBigUInt64LE(7n, at)),
      /not aligned/,
    ],
    [
      "an empty dimension",
      (b) => behind(b, "token_embd.weight", 4, (at) => b.writeBigUInt64LE(0n, at)),
      /empty dimension/,
    ],
  ])("is refused with a reason: %s", async (_, change, message) => {
    const error = await readGgufHeader(await damaged(change)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).code).toBe("MODEL_INVALID");
    expect((error as AppError).message).toMatch(message);
  });

  it("of a missing file is MODEL_NOT_FOUND, of a folder MODEL_INVALID", async () => {
    await expect(readGgufHeader(join(dir, "none.gguf"))).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(readGgufHeader(dir)).rejects.toMatchObject({ code: "MODEL_INVALID" });
  });

  it("never brings more than an error, whatever bytes are changed", async () => {
    const random = createRandom("gguf-fuzz", 1);
    const headerBytes = 24_000;
    for (let i = 0; i < 400; i++) {
      const path = await damaged((bytes) => {
        for (let k = 0; k <= random() * 4; k++) bytes[Math.floor(random() * headerBytes)] = Math.floor(random() * 256);
        return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
      });
      const error = await readHeaderFacts(path).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error) expect(error, `run ${i}: ${(error as Error).stack}`).toBeInstanceOf(AppError);
    }
  }, 60_000);
});

describe("what a header says", () => {
  it("of a model", async () => {
    expect(await readHeaderFacts(modelPath)).toMatchObject({
      name: "tiny llama3-like",
      architecture: "llama",
      quantisation: "F16",
      contextLength: 512,
      vocabularySize: 520,
      hasChatTemplate: true,
      purpose: "text",
      otherPurpose: null,
    });
  });

  it("of an adapter", async () => {
    const facts = await readAdapterFacts(join(referenceDir, "adapter-init.gguf"));
    expect(facts).toMatchObject({ architecture: "llama", r: 8, alpha: 16, nTensors: 28 });
    expect(facts.targets.toSorted()).toEqual([
      "attn_k",
      "attn_output",
      "attn_q",
      "attn_v",
      "ffn_down",
      "ffn_gate",
      "ffn_up",
    ]);
  });

  it("an adapter is no model, and a model no adapter", async () => {
    await expect(readHeaderFacts(join(referenceDir, "adapter-init.gguf"))).rejects.toMatchObject({
      code: "MODEL_INVALID",
    });
    await expect(readAdapterFacts(modelPath)).rejects.toMatchObject({ code: "ADAPTER_INVALID" });
  });

  it("of an adapter of rank 1, whose matrices ggml writes without their trailing 1", async () => {
    const path = join(dir, "rank-1.gguf");
    const write = (shapes: AdapterShapes) => writeFile(path, adapterFile(shapes));
    const model = await readGgufHeader(join(referenceDir, "model-f32.gguf"));
    await write({ a: [64], b: [1, 64] });
    expect(await readAdapterFacts(path)).toMatchObject({ r: 1, nTensors: 2, targets: ["attn_q"] });
    checkAdapterFits(await readAdapter(path), model);
    await write({ a: [64, 1], b: [1, 64, 1] });
    checkAdapterFits(await readAdapter(path), model);
    await write({ a: [64], b: [1, 32] });
    const wrong = await readAdapter(path);
    expect(() => checkAdapterFits(wrong, model)).toThrow(/the adapter expects \(64, 32\)/);
    await write({ a: [64], b: [64] });
    await expect(readAdapterFacts(path)).rejects.toThrow(/do not multiply/);
    await write({ a: [64, 1, 2], b: [1, 64] });
    await expect(readAdapterFacts(path)).rejects.toThrow(/do not multiply/);
  });

  it("an adapter fits its own model only", async () => {
    const adapter = await readAdapter(join(referenceDir, "adapter-init.gguf"));
    checkAdapterFits(adapter, await readGgufHeader(join(referenceDir, "model-f32.gguf")));
    const other = await readGgufHeader(modelPath);
    expect(() => checkAdapterFits(adapter, other)).toThrow(
      /does not fit .*: blk\.0\.\w+\.weight is \(32, 32\), the adapter expects \(64, 64\)/,
    );
  });
});

type AdapterShapes = { a: number[]; b: number[] };

/** An adapter of one target, its tensors with the dimensions given. */
function adapterFile(shapes: AdapterShapes): Buffer {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const texts = { "general.type": "adapter", "general.architecture": "llama", "adapter.type": "lora" };
  const metadata = Object.entries(texts).flatMap(([key, value]) => [text(key), u32(8), text(value)]);
  const alpha = [text("adapter.lora.alpha"), u32(6), Buffer.from(Float32Array.of(1).buffer)];
  const bytesOf = (shape: number[]) => 4 * shape.reduce((product, length) => product * length, 1);
  const info = (half: "a" | "b", start: number) => [
    text(`blk.0.attn_q.weight.lora_${half}`),
    u32(shapes[half].length),
    ...shapes[half].map(u64),
    u32(0),
    u64(start),
  ];
  const startOfB = Math.ceil(bytesOf(shapes.a) / 32) * 32;
  const tensors = [...info("a", 0), ...info("b", startOfB)];
  const head = Buffer.concat([Buffer.from("GGUF"), u32(3), u64(2), u64(4), ...metadata, ...alpha, ...tensors]);
  return Buffer.concat([
    head,
    Buffer.alloc((32 - (head.length % 32)) % 32),
    Buffer.alloc(startOfB + bytesOf(shapes.b)),
  ]);
}
