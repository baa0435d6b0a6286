export type VectorHit = { key: number; distance: number };

/** Nearest neighbours by cosine distance among chunk keys. Derived: it can be dropped and filled again from chunk_embedding. */
export type VectorIndex = {
  add(entries: { key: number; vector: Float32Array }[]): void;
  remove(keys: number[]): void;
  search(vector: Float32Array, limit: number): VectorHit[];
};
