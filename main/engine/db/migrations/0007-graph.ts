import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 7,
  name: "graph",
  up(db) {
    db.exec(`
      CREATE TABLE concept (
        id TEXT PRIMARY KEY,
        -- the normalised label: lower case, single spaces, singular
        key TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,
        type TEXT NOT NULL,
        x REAL,
        y REAL,
        created_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE relation (
        id TEXT PRIMARY KEY,
        source_id TEXT NOT NULL REFERENCES concept(id) ON DELETE CASCADE,
        target_id TEXT NOT NULL REFERENCES concept(id) ON DELETE CASCADE,
        type TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        UNIQUE (source_id, target_id, type)
      ) STRICT;

      -- why a concept or a relation is there; exactly one of concept_id and relation_id is set
      CREATE TABLE evidence (
        id INTEGER PRIMARY KEY,
        concept_id TEXT REFERENCES concept(id) ON DELETE CASCADE,
        relation_id TEXT REFERENCES relation(id) ON DELETE CASCADE,
        source_kind TEXT NOT NULL,
        source_id TEXT NOT NULL,
        section TEXT,
        sentence TEXT NOT NULL,
        chunk_id TEXT,
        round INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        CHECK ((concept_id IS NULL) <> (relation_id IS NULL))
      ) STRICT;
      CREATE INDEX evidence_by_concept ON evidence(concept_id);
      CREATE INDEX evidence_by_relation ON evidence(relation_id);
      CREATE INDEX evidence_by_source ON evidence(source_kind, source_id);
    `);
  },
};
