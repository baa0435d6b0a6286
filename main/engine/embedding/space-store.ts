import type { Db } from "../db/index.ts";
import type { EmbeddingSpace } from "./embedder.ts";

export type StoredSpace = { id: number; nDims: number };

/** The row of a space, made when the space is new. */
export function ensureSpace(db: Db, { model, sha256, nDims }: EmbeddingSpace): StoredSpace {
  const select = db.prepare<[string, string, number], { id: number }>(
    "SELECT id FROM embedding_space WHERE model = ? AND sha256 = ? AND n_dims = ?",
  );
  const known = select.get(model, sha256, nDims);
  if (known) return { id: known.id, nDims };
  const { lastInsertRowid } = db
    .prepare("INSERT INTO embedding_space (model, sha256, n_dims) VALUES (?, ?, ?)")
    .run(model, sha256, nDims);
  return { id: Number(lastInsertRowid), nDims };
}

/** float32, little-endian: the order of bytes in memory on every machine that the program is built for. */
export function toBlob(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

export function fromBlob(blob: Buffer): Float32Array {
  return new Float32Array(blob.buffer.slice(blob.byteOffset, blob.byteOffset + blob.byteLength) as ArrayBuffer);
}
