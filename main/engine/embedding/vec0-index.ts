import type { Db } from "../db/index.ts";
import { type StoredSpace, toBlob } from "./space-store.ts";
import type { VectorIndex } from "./vector-index.ts";

/** Raised when the table or the way of filling it changes: older tables are dropped and filled again. */
const VERSION = 1;
/** sqlite-vec answers at most this many neighbours. */
const MAX_NEIGHBOURS = 4096;

/** The vec0 table of one space: an exact scan by cosine distance. It is made, or filled again, when it is first asked for. */
export function openVec0Index(db: Db, space: StoredSpace): VectorIndex {
  const table = `chunk_vector_${space.id}`;
  if (indexVersion(db, table) !== VERSION) rebuild(db, table, space);
  const insert = db.prepare(`INSERT INTO ${table} (rowid, vector) VALUES (?, ?)`);
  const remove = db.prepare(`DELETE FROM ${table} WHERE rowid = ?`);
  const nearest = db.prepare<[Buffer, number], { key: number; distance: number }>(
    `SELECT rowid AS key, distance FROM ${table} WHERE vector MATCH ? AND k = ? ORDER BY distance`,
  );
  return {
    // vec0 takes its rowid as an integer only, and better-sqlite3 binds a JavaScript number as a real
    add(entries) {
      for (const { key, vector } of entries) insert.run(BigInt(key), toBlob(vector));
    },
    remove(keys) {
      for (const key of keys) remove.run(BigInt(key));
    },
    // vec0 orders by distance alone; equal texts would come in any order
    search: (vector, limit) =>
      nearest
        .all(toBlob(vector), Math.min(limit, MAX_NEIGHBOURS))
        .toSorted((a, b) => a.distance - b.distance || a.key - b.key),
  };
}

function indexVersion(db: Db, name: string): number | undefined {
  return db.prepare<[string], { version: number }>("SELECT version FROM index_state WHERE name = ?").get(name)?.version;
}

function rebuild(db: Db, table: string, space: StoredSpace): void {
  db.transaction(() => {
    db.exec(`
      DROP TABLE IF EXISTS ${table};
      CREATE VIRTUAL TABLE ${table} USING vec0(vector float[${space.nDims}] distance_metric=cosine);
      INSERT INTO ${table} (rowid, vector)
        SELECT chunk_key, vector FROM chunk_embedding WHERE embedding_space_id = ${space.id};
    `);
    db.prepare("INSERT OR REPLACE INTO index_state (name, version) VALUES (?, ?)").run(table, VERSION);
  }).immediate();
}
