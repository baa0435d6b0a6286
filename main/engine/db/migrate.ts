import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import type { Db } from "./open.ts";

/** Forward only and never edited after it has landed; derived tables (FTS5, vec0) are rebuilt instead. */
export type Migration = { id: number; name: string; up(db: Db): void };

const N_BACKUPS_KEPT = 3;

/** Runs what is missing, each in a transaction of its own, after a backup of a database that already holds something. */
export function migrate(db: Db, migrations: readonly Migration[], backupsDir: string): void {
  const version = Number(db.pragma("user_version", { simple: true }));
  const newest = migrations.at(-1)?.id ?? 0;
  if (version > newest) {
    throw new AppError(
      "DB_TOO_NEW",
      `This workspace was written by a newer version (schema ${version}, known ${newest})`,
      {
        hint: "Update PRefLexOR Studio, or choose another workspace.",
      },
    );
  }
  if (version === newest) return;
  if (version > 0) backUp(db, version, backupsDir);
  for (const migration of migrations) {
    if (migration.id <= version) continue;
    db.transaction(() => {
      migration.up(db);
      db.pragma(`user_version = ${migration.id}`);
    }).immediate();
  }
}

function backUp(db: Db, version: number, dir: string): void {
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${String(version).padStart(4, "0")}-${Date.now()}.db`);
  db.prepare("VACUUM INTO ?").run(path);
  const backups = readdirSync(dir)
    .filter((name) => name.endsWith(".db"))
    .toSorted();
  for (const name of backups.slice(0, -N_BACKUPS_KEPT)) rmSync(join(dir, name));
}
