import type { FileHandle } from "node:fs/promises";

const WINDOW_BYTES = 1 << 20;

/** The file ends before what its header promises, or a length in it cannot be true. */
export class GgufDamage extends Error {}

/**
 * Reads a file's beginning in order, through a window of one megabyte. Every length is checked against the bytes that
 * are left before anything is allocated, so that a damaged length costs nothing.
 */
export type ByteReader = {
  readonly position: number;
  u8(): Promise<number>;
  u32(): Promise<number>;
  i32(): Promise<number>;
  f32(): Promise<number>;
  f64(): Promise<number>;
  u16(): Promise<number>;
  i16(): Promise<number>;
  i8(): Promise<number>;
  /** A count or offset; values beyond 2^53 are damage. */
  u64(): Promise<number>;
  i64(): Promise<number>;
  text(nBytes: number): Promise<string>;
  skip(nBytes: number): void;
  /** Throws unless at least `nBytes` are left. */
  require(nBytes: number, what: string): void;
};

export function createByteReader(file: FileHandle, sizeBytes: number): ByteReader {
  let window = Buffer.alloc(0);
  let windowStart = 0;
  let position = 0;

  function require(nBytes: number, what: string): void {
    if (!(nBytes >= 0) || position + nBytes > sizeBytes)
      throw new GgufDamage(`${what} at byte ${position} needs ${nBytes} bytes, but the file has ${sizeBytes}`);
  }

  /** The next `nBytes` as a view that is valid until the next call. */
  async function take(nBytes: number): Promise<Buffer> {
    require(nBytes, "a value");
    if (position < windowStart || position + nBytes > windowStart + window.length) {
      const length = Math.min(Math.max(WINDOW_BYTES, nBytes), sizeBytes - position);
      const buffer = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(buffer, 0, length, position);
      if (bytesRead < nBytes) throw new GgufDamage(`the file ended at byte ${position + bytesRead}`);
      window = buffer.subarray(0, bytesRead);
      windowStart = position;
    }
    const start = position - windowStart;
    position += nBytes;
    return window.subarray(start, start + nBytes);
  }

  return {
    get position() {
      return position;
    },
    u8: async () => (await take(1)).readUInt8(0),
    i8: async () => (await take(1)).readInt8(0),
    u16: async () => (await take(2)).readUInt16LE(0),
    i16: async () => (await take(2)).readInt16LE(0),
    u32: async () => (await take(4)).readUInt32LE(0),
    i32: async () => (await take(4)).readInt32LE(0),
    f32: async () => (await take(4)).readFloatLE(0),
    f64: async () => (await take(8)).readDoubleLE(0),
    u64: async () => toCount((await take(8)).readBigUInt64LE(0)),
    i64: async () => Number((await take(8)).readBigInt64LE(0)),
    text: async (nBytes) => (await take(nBytes)).toString("utf8"),
    skip(nBytes) {
      require(nBytes, "an array");
      position += nBytes;
    },
    require,
  };
}

function toCount(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new GgufDamage(`${value} is no possible count`);
  return Number(value);
}
