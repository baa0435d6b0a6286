import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 14,
  name: "model-markers",
  up(db) {
    // the marker set that a model thinks with, entered by the user; null is the default set
    db.exec("ALTER TABLE model ADD COLUMN markers TEXT");
  },
};
