import type { Migration } from "../migrate.ts";

/** Every document says its format; all that came before are PDFs. */
export const migration: Migration = {
  id: 13,
  name: "media type",
  up(db) {
    db.exec("ALTER TABLE document ADD COLUMN media_type TEXT NOT NULL DEFAULT 'application/pdf'");
  },
};
