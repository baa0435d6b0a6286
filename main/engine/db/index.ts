export { lockWorkspace } from "./lock.ts";
export { type Migration, migrate } from "./migrate.ts";
export { closeDatabase, type Db, openDatabase } from "./open.ts";
