import type { GgufHeader } from "./read-header.ts";

export function textOf(header: GgufHeader, key: string): string | null {
  const value = header.metadata.get(key);
  return typeof value === "string" ? value : null;
}

export function numberOf(header: GgufHeader, key: string): number | null {
  const value = header.metadata.get(key);
  return typeof value === "number" ? value : null;
}

export function arrayLengthOf(header: GgufHeader, key: string): number | null {
  const value = header.metadata.get(key);
  return typeof value === "object" ? value.length : null;
}

/** Number of weights over all tensors. */
export function countParameters(header: GgufHeader): number {
  return header.tensors.reduce((sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1), 0);
}
