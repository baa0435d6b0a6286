import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 11,
  name: "device",
  up(db) {
    db.exec(`
      -- what the user has chosen for this workspace
      CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

      -- what the run computed on, as JSON in the trainer's own words; NULL for runs from before this was kept
      ALTER TABLE training_run ADD COLUMN device TEXT;
    `);
  },
};
