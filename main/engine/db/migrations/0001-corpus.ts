import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 1,
  name: "corpus",
  up(db) {
    db.exec(`
      CREATE TABLE document (
        id TEXT PRIMARY KEY,
        path TEXT NOT NULL,
        title TEXT NOT NULL,
        sha256 TEXT NOT NULL UNIQUE,
        size_bytes INTEGER NOT NULL,
        n_pages INTEGER NOT NULL,
        status TEXT NOT NULL,
        reason TEXT,
        imported_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE page (
        document_id TEXT NOT NULL REFERENCES document(id) ON DELETE CASCADE,
        page INTEGER NOT NULL,
        text TEXT NOT NULL,
        quality TEXT NOT NULL,
        PRIMARY KEY (document_id, page)
      ) STRICT, WITHOUT ROWID;

      -- key is the rowid that the FTS5 and vec0 tables refer to
      CREATE TABLE chunk (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        document_id TEXT NOT NULL REFERENCES document(id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        page INTEGER NOT NULL,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        text TEXT NOT NULL,
        n_tokens INTEGER NOT NULL,
        is_references INTEGER NOT NULL,
        UNIQUE (document_id, ordinal)
      ) STRICT;

      CREATE TABLE embedding_space (
        id INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        n_dims INTEGER NOT NULL,
        UNIQUE (model, sha256, n_dims)
      ) STRICT;

      -- the vector as n_dims little-endian float32; the vec0 table is derived from it
      CREATE TABLE chunk_embedding (
        chunk_key INTEGER NOT NULL REFERENCES chunk(key) ON DELETE CASCADE,
        embedding_space_id INTEGER NOT NULL REFERENCES embedding_space(id),
        vector BLOB NOT NULL,
        PRIMARY KEY (embedding_space_id, chunk_key)
      ) STRICT, WITHOUT ROWID;

      -- which derived tables exist and by what version of the code they were filled
      CREATE TABLE index_state (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;

      CREATE TABLE network_call (
        id INTEGER PRIMARY KEY,
        host TEXT NOT NULL,
        purpose TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        status TEXT NOT NULL,
        at INTEGER NOT NULL
      ) STRICT;
    `);
  },
};
