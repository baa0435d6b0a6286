import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import Database from "better-sqlite3";

const fixtures = join(import.meta.dirname, "../fixtures/workspaces");

/** How a fixture names the folders that it came from; test/fixtures/workspaces/make-workspace.ts says why. */
export const PLACES = { workspace: "/workspace", models: "/models", recipes: "/recipes", checkout: "/checkout" };

/** A workspace as the program of that version left it, in a new folder, with models where they are on this machine. */
export function copyOldWorkspace(version: string, modelCacheDir = PLACES.models): string {
  const dir = mkdtempSync(join(tmpdir(), "old-workspace-"));
  const fixture = join(fixtures, version);
  mkdirSync(join(dir, "adapters"));
  cpSync(join(fixture, "adapters"), join(dir, "adapters"), { recursive: true });
  writeFileSync(join(dir, "studio.db"), gunzipSync(readFileSync(join(fixture, "studio.db.gz"))));
  const db = new Database(join(dir, "studio.db"));
  replaceEverywhere(db, PLACES.workspace, dir);
  replaceEverywhere(db, PLACES.models, modelCacheDir);
  replaceEverywhere(db, PLACES.recipes, fixture);
  db.close();
  return dir;
}

/** In every text of every table but the derived ones. */
export function replaceEverywhere(db: Database.Database, from: string, to: string): void {
  const columns = db
    .prepare<[], { tbl: string; col: string }>(
      `SELECT m.name AS tbl, c.name AS col FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
       WHERE m.type = 'table' AND c.type = 'TEXT' AND m.sql NOT LIKE 'CREATE VIRTUAL%' AND m.name NOT LIKE '%fts%'`,
    )
    .all();
  for (const { tbl, col } of columns) {
    const sql = `UPDATE "${tbl}" SET "${col}" = replace("${col}", @from, @to) WHERE instr("${col}", @from) > 0`;
    db.prepare(sql).run({ from, to });
  }
}
