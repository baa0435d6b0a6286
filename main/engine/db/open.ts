import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import * as sqliteVec from "sqlite-vec";
import { AppError } from "../../shared/errors.ts";
import { migrate } from "./migrate.ts";
import { migrations } from "./migrations/index.ts";

export type Db = Database.Database;

/**
 * Opens a workspace's database for writing, loads sqlite-vec and brings the schema up to date.
 * Errors: DB_CORRUPT when the file is no database, DB_TOO_NEW when a newer program wrote it.
 */
export function openDatabase(workspaceDir: string): Db {
  mkdirSync(workspaceDir, { recursive: true });
  const path = join(workspaceDir, "studio.db");
  const db = new Database(path);
  try {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = NORMAL");
    db.pragma("foreign_keys = ON");
    db.pragma("busy_timeout = 5000");
    db.loadExtension(sqliteVec.getLoadablePath().replace("app.asar", "app.asar.unpacked"));
    migrate(db, migrations, join(workspaceDir, "backups"));
  } catch (error) {
    db.close();
    if ((error as { code?: unknown }).code === "SQLITE_NOTADB") throw corrupt(path, error);
    throw error;
  }
  return db;
}

export function closeDatabase(db: Db): void {
  db.pragma("optimize");
  db.close();
}

function corrupt(path: string, cause: unknown): AppError {
  return new AppError("DB_CORRUPT", `${path} is not a readable database`, {
    hint: "Restore the newest file of the workspace's backups folder as studio.db.",
    cause,
  });
}
