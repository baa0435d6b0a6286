import { createHash } from "node:crypto";

/** A seeded generator of uniform numbers in [0, 1): the same key gives the same numbers on every machine. */
export type Random = () => number;

/** Mulberry32 seeded by SHA-256 of the key parts, so that streams for neighbouring keys are unrelated. */
export function createRandom(...key: (string | number)[]): Random {
  let state = createHash("sha256").update(JSON.stringify(key)).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed for a sampler: a positive 31-bit integer that depends on every key part. */
export function seedOf(...key: (string | number)[]): number {
  return createHash("sha256").update(JSON.stringify(key)).digest().readUInt32LE(4) & 0x7fffffff || 1;
}
