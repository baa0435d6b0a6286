/** SQLite (better-sqlite3 and sqlite-vec): one writer, migrations forward only with a backup, the lock of a workspace. */
export { lockWorkspace } from "./lock.ts";
export { type Migration, migrate } from "./migrate.ts";
export { closeDatabase, type Db, openDatabase } from "./open.ts";
