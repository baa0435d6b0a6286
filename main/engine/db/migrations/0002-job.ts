import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 2,
  name: "job",
  up(db) {
    db.exec(`
      CREATE TABLE job (
        id TEXT PRIMARY KEY,
        type TEXT NOT NULL,
        title TEXT NOT NULL,
        lane TEXT NOT NULL,
        status TEXT NOT NULL,
        input TEXT NOT NULL,
        output TEXT,
        error TEXT,
        progress TEXT,
        attempt INTEGER NOT NULL,
        -- a caller's own name for the work: asking again for the same work finds this row
        idempotency_key TEXT UNIQUE,
        cancel_requested_at INTEGER,
        parent_id TEXT REFERENCES job(id),
        queued_at INTEGER NOT NULL,
        started_at INTEGER,
        finished_at INTEGER
      ) STRICT;
      CREATE INDEX job_by_status ON job(status, lane, queued_at);

      CREATE TABLE job_event (
        job_id TEXT NOT NULL REFERENCES job(id) ON DELETE CASCADE,
        seq INTEGER NOT NULL,
        at INTEGER NOT NULL,
        kind TEXT NOT NULL,
        payload TEXT NOT NULL,
        PRIMARY KEY (job_id, seq)
      ) STRICT, WITHOUT ROWID;
    `);
  },
};
