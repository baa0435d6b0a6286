import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 6,
  name: "reflection",
  up(db) {
    db.exec(`
      CREATE TABLE reflection (
        id TEXT PRIMARY KEY,
        job_id TEXT,
        question TEXT NOT NULL,
        status TEXT NOT NULL,
        model TEXT NOT NULL,
        adapter TEXT,
        critic TEXT,
        n_iterations INTEGER NOT NULL,
        input TEXT NOT NULL,
        sources TEXT NOT NULL,
        settings TEXT NOT NULL,
        integrated TEXT,
        stop_reason TEXT,
        created_at INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE iteration (
        reflection_id TEXT NOT NULL REFERENCES reflection(id) ON DELETE CASCADE,
        "index" INTEGER NOT NULL,
        thinking TEXT NOT NULL,
        reflection TEXT NOT NULL,
        answer TEXT NOT NULL,
        improved_thinking TEXT,
        problems TEXT NOT NULL,
        metrics TEXT NOT NULL,
        -- every prompt, output, sampler, seed and token count of this iteration
        calls TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        took_ms REAL NOT NULL,
        PRIMARY KEY (reflection_id, "index")
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE critique_point (
        reflection_id TEXT NOT NULL,
        iteration_index INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        point TEXT NOT NULL,
        acted_on INTEGER NOT NULL,
        changed_sentences TEXT NOT NULL,
        PRIMARY KEY (reflection_id, iteration_index, ordinal),
        FOREIGN KEY (reflection_id, iteration_index) REFERENCES iteration(reflection_id, "index") ON DELETE CASCADE
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
