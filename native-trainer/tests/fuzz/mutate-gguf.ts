/** Damage that knows where the numbers of a GGUF header lie: a wrong size that everything around it agrees with. */
import { integerBytes, interestingIntegers, writeAt } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

/** A number or text of the header: where it is, and what it says. */
type Field = {
  of: "count" | "length" | "type" | "value" | "dimensions" | "extent" | "offset";
  at: number;
  size: number;
};
type Text = { at: number; size: number };
type Header = { fields: Field[]; texts: Text[]; values: { start: number; end: number }[]; tensorsStart: number };

export function mutateGguf(random: Random, original: Buffer): Buffer {
  const bytes = Buffer.from(original);
  const header = readHeader(bytes);
  const way = random.below(10);
  if (way === 0) return duplicateValue(random, bytes, header);
  if (way === 1) return lengthenText(random, bytes, header);
  for (let i = 1 + random.below(3); i > 0; i--) {
    if (random.chance(0.15)) changeText(random, bytes, random.pick(header.texts));
    else changeField(random, bytes, random.pick(header.fields));
  }
  return bytes;
}

function changeField(random: Random, bytes: Buffer, field: Field): void {
  if (field.of === "type") bytes.writeUInt32LE(random.below(45), field.at);
  else if (field.of === "dimensions") bytes.writeUInt32LE(random.below(6), field.at);
  else if (random.chance(0.4)) nudge(random, bytes, field);
  else if (field.of === "value" && random.chance(0.3)) writeAt(bytes, field.at, oddFloat(random, field.size));
  else writeAt(bytes, field.at, integerBytes(random.pick(interestingIntegers), field.size));
}

/** A number near the true one, or a multiple of it: more often believed. */
function nudge(random: Random, bytes: Buffer, { at, size }: Field): void {
  let old = 0n;
  for (let i = size - 1; i >= 0; i--) old = (old << 8n) | BigInt(bytes[at + i] ?? 0);
  const changed = random.pick([old + 1n, old - 1n, old * 2n, old / 2n, old + 32n, old - 32n, old * 1000n]);
  writeAt(bytes, at, integerBytes(BigInt.asUintN(64, changed), size));
}

function oddFloat(random: Random, size: number): Buffer {
  const value = random.pick([NaN, Infinity, -Infinity, 0, -0, -1, 0.5, 1e-45, 3e38, 1e300]);
  const bytes = Buffer.alloc(8);
  if (size === 8) bytes.writeDoubleLE(value);
  else bytes.writeFloatLE(value);
  return bytes.subarray(0, size);
}

function changeText(random: Random, bytes: Buffer, { at, size }: Text): void {
  if (size === 0) return;
  bytes[at + random.below(size)] = random.pick([0, 0x2e, 0x30, 0x39, 0x80, 0xff, random.below(256)]);
}

/** One more key-value pair; the tensors move with it, which only their alignment may notice. */
function duplicateValue(random: Random, bytes: Buffer, header: Header): Buffer {
  const { start, end } = random.pick(header.values);
  const copy = Buffer.from(bytes.subarray(start, end));
  if (random.chance(0.5)) copy[8] = random.below(256); // another key
  bytes.writeBigUInt64LE(bytes.readBigUInt64LE(16) + 1n, 16);
  return Buffer.concat([bytes.subarray(0, end), copy, bytes.subarray(end)]);
}

function lengthenText(random: Random, bytes: Buffer, header: Header): Buffer {
  const { at, size } = random.pick(header.texts);
  const more = Buffer.alloc(random.pick([1, 32, 64, 65_536, 1_000_000]), random.pick([0, 0x41, 0x22, 0xff]));
  bytes.writeBigUInt64LE(BigInt(size + more.length), at - 8);
  return Buffer.concat([bytes.subarray(0, at + size), more, bytes.subarray(at + size)]);
}

// ---- reading a header that is known to be right

const typeSizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]; // by GGUF type; 8 is a text, 9 a list

function readHeader(bytes: Buffer): Header {
  const header: Header = { fields: [], texts: [], values: [], tensorsStart: 0 };
  let at = 8;
  const field = (of: Field["of"], size: number): number => {
    header.fields.push({ of, at, size });
    at += size;
    return Number(size === 8 ? bytes.readBigUInt64LE(at - 8) : size === 4 ? bytes.readUInt32LE(at - 4) : 0);
  };
  const text = () => {
    const size = field("length", 8);
    header.texts.push({ at, size });
    at += size;
  };
  const value = (type: number) => {
    if (type === 8) text();
    else if (type === 9) {
      const element = field("type", 4);
      const n = field("length", 8);
      for (let i = 0; i < n; i++) {
        if (i < 20) value(element);
        else at += element === 8 ? 8 + Number(bytes.readBigUInt64LE(at)) : (typeSizes[element] ?? 0);
      }
    } else field("value", typeSizes[type] ?? 0);
  };
  header.fields.push({ of: "count", at: 4, size: 4 }); // the version
  const nTensors = field("count", 8);
  const nValues = field("count", 8);
  for (let i = 0; i < nValues; i++) {
    const start = at;
    text();
    value(field("type", 4));
    header.values.push({ start, end: at });
  }
  header.tensorsStart = at;
  for (let i = 0; i < nTensors; i++) {
    text();
    const n = field("dimensions", 4);
    for (let d = 0; d < n; d++) field("extent", 8);
    field("type", 4);
    field("offset", 8);
  }
  return header;
}
