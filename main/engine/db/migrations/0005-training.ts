import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 5,
  name: "training",
  up(db) {
    db.exec(`
      CREATE TABLE training_run (
        id TEXT PRIMARY KEY,
        -- the job that executes it: a second attempt of the job finds its run
        job_id TEXT NOT NULL UNIQUE,
        experiment_id TEXT REFERENCES experiment(id),
        stage TEXT NOT NULL,
        round INTEGER NOT NULL,
        status TEXT NOT NULL,
        model_path TEXT NOT NULL,
        model_name TEXT NOT NULL,
        adapter_in TEXT,
        adapter_out TEXT,
        n_pairs INTEGER NOT NULL,
        config TEXT NOT NULL,
        summary TEXT,
        started_at INTEGER NOT NULL,
        finished_at INTEGER,
        UNIQUE (experiment_id, stage, round)
      ) STRICT;

      -- value by TRL's metric name; written again with the same value when a resumed run repeats a step
      CREATE TABLE training_metric (
        run_id TEXT NOT NULL REFERENCES training_run(id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        name TEXT NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (run_id, step, name)
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
