import type { Db } from "../db/index.ts";

const NAME = "chunk_text";
/** Raised when the table or its tokenizer changes: an older table is dropped and filled again. */
const VERSION = 1;

export type TextIndex = {
  add(entries: { key: number; text: string }[]): void;
  /** Keys by bm25, best first. */
  search(query: string, limit: number): number[];
};

/** Words of chunks, accents and case apart. It holds no text of its own and is filled from the chunk table when it is missing or old. */
export function openTextIndex(db: Db): TextIndex {
  const state = db.prepare<[string], { version: number }>("SELECT version FROM index_state WHERE name = ?").get(NAME);
  if (state?.version !== VERSION) rebuild(db);
  const insert = db.prepare(`INSERT INTO ${NAME} (rowid, text) VALUES (?, ?)`);
  const select = db.prepare<[string, number], { key: number }>(
    `SELECT rowid AS key FROM ${NAME} WHERE ${NAME} MATCH ? ORDER BY bm25(${NAME}), rowid LIMIT ?`,
  );
  return {
    add(entries) {
      for (const { key, text } of entries) insert.run(BigInt(key), text);
    },
    search(query, limit) {
      const match = toMatch(query);
      return match === null ? [] : select.all(match, limit).map((row) => row.key);
    },
  };
}

function rebuild(db: Db): void {
  db.transaction(() => {
    db.exec(`
      DROP TABLE IF EXISTS ${NAME};
      CREATE VIRTUAL TABLE ${NAME} USING fts5(
        text, content = 'chunk', content_rowid = 'key', tokenize = 'unicode61 remove_diacritics 2'
      );
      INSERT INTO ${NAME} (${NAME}) VALUES ('rebuild');
    `);
    db.prepare("INSERT OR REPLACE INTO index_state (name, version) VALUES (?, ?)").run(NAME, VERSION);
  }).immediate();
}

/** Words that nearly every chunk has: they cost a scan and say nothing, unless there is nothing else. */
const STOP_WORDS = new Set(
  "a an and are as at be been by can did do does for from had has have how in into is it its of on or that the their there these this to was were what when where which who why will with".split(
    " ",
  ),
);

/**
 * FTS5's own syntax never reaches it: every word is quoted. Words are joined by OR, so that a whole question finds
 * the chunks that share most of it; what stands between "double quotes" must stand together. Null without a word.
 */
export function toMatch(query: string): string | null {
  const text = query.normalize("NFC");
  const phrases = [...text.matchAll(/"([^"]+)"/g)].map((match) => words(match[1]!).join(" ")).filter(Boolean);
  const loose = words(text.replace(/"[^"]+"/g, " "));
  const telling = loose.filter((word) => !STOP_WORDS.has(word.toLowerCase()));
  const chosen = telling.length > 0 || phrases.length > 0 ? telling : loose;
  const terms = [...new Set([...phrases, ...chosen])].map((term) => `"${term}"`);
  return terms.length > 0 ? terms.join(" OR ") : null;
}

/** Runs of what unicode61 takes for letters and digits. */
function words(text: string): string[] {
  return text.match(/[\p{L}\p{M}\p{N}\p{Co}]+/gu) ?? [];
}
