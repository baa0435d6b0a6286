import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readGgufHeader } from "../../main/engine/gguf/index.ts";

export type Target = "F32" | "F16" | "Q8_0";
/** ggml's numbers of the types, which are written to the file. */
const TYPE_NUMBERS: Record<Target, number> = { F32: 0, F16: 1, Q8_0: 8 };

/**
 * Writes a model again with all quantised tensors as F16 (or F32, or Q8_0), for tests that need a real model with base
 * weights of another type. Only the types that SmolLM2's file has: F32 stays, Q4_1 and Q8_0 are dequantised as ggml does.
 */
export async function dequantiseGguf(from: string, to: string, target: Target = "F16"): Promise<string> {
  if (existsSync(to)) return to;
  const header = await readGgufHeader(from);
  const file = readFileSync(from);
  const nMetadata = Number(file.readBigUInt64LE(16));
  const metadata = file.subarray(24, endOfMetadata(file, nMetadata));
  const infos: Buffer[] = [];
  const contents: Buffer[] = [];
  let offset = 0;
  for (const tensor of header.tensors) {
    const raw = file.subarray(tensor.start, tensor.start + tensor.sizeBytes);
    const isKept = tensor.type.name === "F32" || tensor.type.name === target;
    const data = isKept ? raw : encoders[target](decoders[tensor.type.name]!(raw));
    infos.push(
      tensorInfo(tensor.name, tensor.shape, TYPE_NUMBERS[isKept ? (tensor.type.name as Target) : target], offset),
    );
    contents.push(padded(data));
    offset += contents.at(-1)!.length;
  }
  const head = Buffer.alloc(24);
  head.write("GGUF", 0, "latin1");
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(BigInt(header.tensors.length), 8);
  head.writeBigUInt64LE(BigInt(nMetadata), 16);
  mkdirSync(dirname(to), { recursive: true });
  writeFileSync(`${to}.part`, Buffer.concat([padded(Buffer.concat([head, metadata, ...infos])), ...contents]));
  renameSync(`${to}.part`, to);
  return to;
}

const ALIGNMENT = 32;
const BLOCK = 32;

function padded(data: Buffer): Buffer {
  const rest = data.length % ALIGNMENT;
  return rest === 0 ? data : Buffer.concat([data, Buffer.alloc(ALIGNMENT - rest)]);
}

const decoders: Record<string, (raw: Buffer) => Float32Array> = {
  /** d, m as F16, then 16 bytes of two nibbles: the low ones are the first half of the block. */
  Q4_1: (raw) =>
    decodeBlocks(raw, 20, (at, values, to) => {
      const d = fromHalf(raw.readUInt16LE(at));
      const m = fromHalf(raw.readUInt16LE(at + 2));
      for (let i = 0; i < BLOCK / 2; i++) {
        const byte = raw[at + 4 + i]!;
        values[to + i] = (byte & 15) * d + m;
        values[to + i + BLOCK / 2] = (byte >> 4) * d + m;
      }
    }),
  /** d as F16, then 32 signed bytes. */
  Q8_0: (raw) =>
    decodeBlocks(raw, 34, (at, values, to) => {
      const d = fromHalf(raw.readUInt16LE(at));
      for (let i = 0; i < BLOCK; i++) values[to + i] = raw.readInt8(at + 2 + i) * d;
    }),
};

function decodeBlocks(raw: Buffer, blockBytes: number, decode: (at: number, values: Float32Array, to: number) => void) {
  const values = new Float32Array((raw.length / blockBytes) * BLOCK);
  for (let block = 0; block < raw.length / blockBytes; block++) decode(block * blockBytes, values, block * BLOCK);
  return values;
}

const encoders: Record<Target, (values: Float32Array) => Buffer> = {
  F32: (values) => Buffer.from(values.buffer),
  F16: (values) => Buffer.from(Float16Array.from(values).buffer),
  Q8_0: toQ8,
};

function toQ8(values: Float32Array): Buffer {
  const raw = Buffer.alloc((values.length / BLOCK) * 34);
  for (let block = 0; block < values.length / BLOCK; block++) {
    const numbers = values.subarray(block * BLOCK, (block + 1) * BLOCK);
    const d = Math.max(...numbers.map(Math.abs)) / 127;
    raw.writeUInt16LE(toHalf(d), block * 34);
    for (let i = 0; i < BLOCK; i++) raw.writeInt8(d === 0 ? 0 : Math.round(numbers[i]! / d), block * 34 + 2 + i);
  }
  return raw;
}

function toHalf(value: number): number {
  half[0] = value;
  return halfBits[0]!;
}

function fromHalf(bits: number): number {
  halfBits[0] = bits;
  return half[0]!;
}
const half = new Float16Array(1);
const halfBits = new Uint16Array(half.buffer);

function tensorInfo(name: string, shape: readonly number[], type: number, offset: number): Buffer {
  const bytes = Buffer.alloc(8 + Buffer.byteLength(name) + 4 + 8 * shape.length + 4 + 8);
  let at = bytes.writeBigUInt64LE(BigInt(Buffer.byteLength(name)), 0);
  at += bytes.write(name, at);
  at = bytes.writeUInt32LE(shape.length, at);
  for (const n of shape) at = bytes.writeBigUInt64LE(BigInt(n), at);
  at = bytes.writeUInt32LE(type, at);
  bytes.writeBigUInt64LE(BigInt(offset), at);
  return bytes;
}

const STRING = 8;
const ARRAY = 9;
/** Bytes of a scalar by its GGUF type number. */
const SCALAR_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];

function endOfMetadata(file: Buffer, nPairs: number): number {
  let at = 24;
  const skipString = () => (at += 8 + Number(file.readBigUInt64LE(at)));
  const skipValue = (type: number) => {
    if (type === STRING) return skipString();
    if (type !== ARRAY) return (at += SCALAR_BYTES[type]!);
    const itemType = file.readUInt32LE(at);
    const length = Number(file.readBigUInt64LE(at + 4));
    at += 12;
    if (itemType !== STRING) return (at += length * SCALAR_BYTES[itemType]!);
    for (let i = 0; i < length; i++) skipString();
    return at;
  };
  for (let i = 0; i < nPairs; i++) {
    skipString();
    const type = file.readUInt32LE(at);
    at += 4;
    skipValue(type);
  }
  return at;
}
