import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 4,
  name: "preference",
  up(db) {
    db.exec(`
      -- one whole run of a recipe; \`pairs generate\` without a recipe makes an experiment of one round
      CREATE TABLE experiment (
        id TEXT PRIMARY KEY,
        -- a caller's own name for it: the same key goes on where it was
        key TEXT NOT NULL UNIQUE,
        recipe TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE question (
        id TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        chunk_id TEXT NOT NULL,
        vector BLOB,
        created_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE preference_pair (
        id TEXT PRIMARY KEY,
        experiment_id TEXT NOT NULL REFERENCES experiment(id),
        stage TEXT NOT NULL,
        round INTEGER NOT NULL,
        -- the attempt within the round, from 0; accepted and filtered attempts alike
        ordinal INTEGER NOT NULL,
        question_id TEXT REFERENCES question(id),
        question TEXT NOT NULL,
        chosen TEXT NOT NULL,
        rejected TEXT NOT NULL,
        thinking TEXT NOT NULL,
        status TEXT NOT NULL,
        filter_reason TEXT,
        sources TEXT NOT NULL,
        provenance TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        UNIQUE (experiment_id, stage, round, ordinal)
      ) STRICT;

      CREATE TABLE pair_event (
        pair_id TEXT NOT NULL REFERENCES preference_pair(id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (pair_id, seq)
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
