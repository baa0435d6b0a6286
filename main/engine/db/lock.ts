import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError } from "../../shared/errors.ts";

/**
 * One writer per workspace. The lock is SQLite's own OS-level lock on a file of its own, held for as long as the
 * process lives: a process that is killed lets it go at once, and no stale file can lock anybody out.
 */
export function lockWorkspace(workspaceDir: string): { release(): void } {
  mkdirSync(workspaceDir, { recursive: true });
  const lock = new Database(join(workspaceDir, "workspace.lock"), { timeout: 300 });
  try {
    lock.pragma("locking_mode = EXCLUSIVE");
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock.close();
    if (String((error as { code?: unknown }).code).startsWith("SQLITE_BUSY")) throw locked(workspaceDir, error);
    throw error;
  }
  return { release: () => lock.close() };
}

function locked(workspaceDir: string, cause: unknown): AppError {
  return new AppError("WORKSPACE_LOCKED", `The workspace ${workspaceDir} is open in another PRefLexOR Studio`, {
    hint: "Close the other window or wait for the other command to end, or choose another workspace with --workspace.",
    cause,
  });
}
