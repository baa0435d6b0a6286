/** Damage that knows nothing of the format: what disks, networks and editors do to a file. */
import type { Random } from "./random.ts";

/** Where signs, sizes and sums turn over. */
export const interestingIntegers = [
  0n,
  1n,
  2n,
  3n,
  7n,
  8n,
  31n,
  32n,
  64n,
  127n,
  128n,
  255n,
  256n,
  1024n,
  4097n,
  65535n,
  65536n,
  1n << 20n,
  (1n << 24n) + 1n,
  (1n << 31n) - 1n,
  1n << 31n,
  (1n << 32n) - 1n,
  1n << 32n,
  1n << 40n,
  (1n << 61n) + 1n,
  (1n << 62n) - 1n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 32n,
  (1n << 64n) - 1n,
];

/** `other` is what splices are cut from. */
export function mutateBytes(random: Random, original: Buffer, other: Buffer): Buffer {
  let bytes: Buffer = Buffer.from(original);
  // most files of a model are weights, where damage is only another weight: half of it goes to the beginning
  const range = random.chance(0.5) ? Math.min(bytes.length, 12_000) : bytes.length;
  const times = 1 + random.below(4);
  for (let i = 0; i < times; i++) bytes = random.pick(damages)(random, bytes, Math.max(1, range), other);
  return bytes;
}

type Damage = (random: Random, bytes: Buffer, range: number, other: Buffer) => Buffer;

const damages: Damage[] = [flipBits, truncate, insert, remove, splice, fill, integer, double, floats];

function flipBits(random: Random, bytes: Buffer, range: number): Buffer {
  for (let i = 1 + random.below(8); i > 0 && bytes.length > 0; i--) {
    const at = random.below(Math.min(range, bytes.length));
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  }
  return bytes;
}

function truncate(random: Random, bytes: Buffer, range: number): Buffer {
  return bytes.subarray(0, random.chance(0.3) ? Math.max(0, bytes.length - 1 - random.below(64)) : random.below(range));
}

function insert(random: Random, bytes: Buffer, range: number): Buffer {
  const size = random.pick([1, 4, 8, 31, 32, 1000, 100_000]);
  const value = random.pick([0, 0xff, 0x20, 0x7b, random.below(256)]);
  const at = random.below(range);
  return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(size, value), bytes.subarray(at)]);
}

function remove(random: Random, bytes: Buffer, range: number): Buffer {
  const at = random.below(range);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.pick([1, 4, 8, 32, 500, 5000]))]);
}

function splice(random: Random, bytes: Buffer, range: number, other: Buffer): Buffer {
  const from = random.below(other.length);
  const piece = other.subarray(from, from + random.pick([8, 64, 1000, 20_000]));
  const at = random.below(range);
  const rest = random.chance(0.5) ? at : at + piece.length; // put between, or over
  return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(rest)]);
}

function fill(random: Random, bytes: Buffer, range: number): Buffer {
  const at = random.below(range);
  return bytes.fill(random.pick([0, 0xff, 0x7f, 0x80]), at, Math.min(bytes.length, at + random.pick([2, 16, 512])));
}

function integer(random: Random, bytes: Buffer, range: number): Buffer {
  return writeAt(bytes, random.below(range), integerBytes(random.pick(interestingIntegers), random.pick([4, 8])));
}

/** Twice the same file, as a copy that was appended. */
function double(_random: Random, bytes: Buffer): Buffer {
  return bytes.length < 2_000_000 ? Buffer.concat([bytes, bytes]) : bytes;
}

function floats(random: Random, bytes: Buffer): Buffer {
  const value = Buffer.alloc(4);
  value.writeFloatLE(random.pick([NaN, Infinity, -Infinity, 3e38, -3e38, 1e-45, 0]));
  const at = random.below(Math.max(1, bytes.length / 4)) * 4;
  for (let i = 0; i < random.pick([1, 64, 1000]); i++) bytes = writeAt(bytes, at + 4 * i, value);
  return bytes;
}

export function integerBytes(value: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.subarray(0, size);
}

export function writeAt(bytes: Buffer, at: number, value: Buffer): Buffer {
  value.copy(bytes, at);
  return bytes;
}
