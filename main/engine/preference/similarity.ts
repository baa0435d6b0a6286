export type Vector = Float32Array;

/** Cosine of two unit vectors, as every embedder gives them. */
export function cosine(a: Vector, b: Vector): number {
  if (a.length !== b.length) throw new Error(`vectors of ${a.length} and ${b.length} dimensions`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
