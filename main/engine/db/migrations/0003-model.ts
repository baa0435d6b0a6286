import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 3,
  name: "model",
  up(db) {
    db.exec(`
      CREATE TABLE model (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        path TEXT NOT NULL UNIQUE,
        sha256 TEXT NOT NULL,
        facts TEXT NOT NULL,
        added_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE adapter (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        path TEXT NOT NULL UNIQUE,
        sha256 TEXT NOT NULL,
        model_id TEXT REFERENCES model(id),
        training_run_id TEXT,
        facts TEXT NOT NULL,
        parity TEXT,
        created_at INTEGER NOT NULL
      ) STRICT;
    `);
  },
};
