import type { Db } from "../open.ts";
import type { Migration } from "../migrate.ts";

/**
 * A statement knows the sentences of the papers that it rests on, and evidence names these instead of the pair's source
 * chunk. What was made before says nothing of them: it is marked, and the engine looks for them when it is opened.
 */
export const migration: Migration = {
  id: 10,
  name: "statement-spans",
  up(db) {
    db.exec(`
      -- 0: made when statements had no spans; they are still to be looked for
      ALTER TABLE preference_pair ADD COLUMN is_located INTEGER NOT NULL DEFAULT 1;
      UPDATE preference_pair SET is_located = 0 WHERE json_array_length(sources) > 0 AND json_array_length(thinking) > 0;
      CREATE INDEX preference_pair_unlocated ON preference_pair(created_at, id) WHERE is_located = 0;

      -- papers, model or unknown; start and end are offsets into the text of the chunk's page, quote is what stands there
      ALTER TABLE evidence ADD COLUMN basis TEXT NOT NULL DEFAULT 'unknown';
      ALTER TABLE evidence ADD COLUMN quote TEXT;
      ALTER TABLE evidence ADD COLUMN start INTEGER;
      ALTER TABLE evidence ADD COLUMN "end" INTEGER;
      UPDATE evidence SET chunk_id = NULL WHERE source_kind = 'pair';
    `);
    rewriteThinking(db);
  },
};

type Section = { name: string; statements: (string | { text: string })[] };

function rewriteThinking(db: Db): void {
  const update = db.prepare("UPDATE preference_pair SET thinking = @thinking WHERE id = @id");
  for (const { id, thinking } of db
    .prepare<[], { id: string; thinking: string }>("SELECT id, thinking FROM preference_pair")
    .all()) {
    const sections = (JSON.parse(thinking) as Section[]).map(({ name, statements }) => ({
      name,
      statements: statements.map((text) => (typeof text === "string" ? { text, spans: null } : text)),
    }));
    update.run({ id, thinking: JSON.stringify(sections) });
  }
}
