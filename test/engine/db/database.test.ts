import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeDatabase, lockWorkspace, migrate, openDatabase } from "../../../main/engine/db/index.ts";
import { migrations } from "../../../main/engine/db/migrations/index.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "preflexor-db-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const schemaOf = (db: Database.Database) =>
  db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all();

test("migrating step by step gives the schema of a fresh database, and backs up what was there before", () => {
  const fresh = openDatabase(join(dir, "fresh"));
  for (const [i] of migrations.entries()) {
    const db = new Database(join(dir, `from-${i}.db`));
    migrate(db, migrations.slice(0, i), join(dir, `backups-${i}`));
    migrate(db, migrations, join(dir, `backups-${i}`));
    expect(schemaOf(db)).toEqual(schemaOf(fresh));
    if (i > 0) expect(readdirSync(join(dir, `backups-${i}`))).toHaveLength(1);
    db.close();
  }
  closeDatabase(fresh);
});

test("migration numbers count up from 1 without a gap", () => {
  expect(migrations.map((migration) => migration.id)).toEqual(migrations.map((_, i) => i + 1));
});

test("a database of a newer program is refused and left as it is", () => {
  const db = openDatabase(dir);
  db.pragma("user_version = 999");
  closeDatabase(db);
  expect(() => openDatabase(dir)).toThrow(expect.objectContaining({ code: "DB_TOO_NEW" }));
});

test("a file that is no database is DB_CORRUPT", () => {
  writeFileSync(
    join(dir, "studio.db"),
    "this is not a database, and it is long enough to be looked at as one".repeat(40),
  );
  expect(() => openDatabase(dir)).toThrow(expect.objectContaining({ code: "DB_CORRUPT" }));
});

test("a migration that fails leaves the version before it", () => {
  const db = new Database(join(dir, "x.db"));
  const bad = { id: 2, name: "bad", up: () => db.exec("CREATE TABLE half (a); SELECT * FROM nowhere") };
  expect(() => migrate(db, [{ id: 1, name: "good", up: () => db.exec("CREATE TABLE t (a)") }, bad], dir)).toThrow();
  expect(db.pragma("user_version", { simple: true })).toBe(1);
  expect(db.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()).toEqual([]);
  db.close();
});

test("one writer per workspace: the second is told so, and the lock goes with its holder", () => {
  const lock = lockWorkspace(dir);
  expect(() => lockWorkspace(dir)).toThrow(expect.objectContaining({ code: "WORKSPACE_LOCKED" }));
  lock.release();
  lockWorkspace(dir).release();
});
