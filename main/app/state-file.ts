import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const ShellState = z.object({
  workspaceDir: z.string().min(1).optional(),
  window: z
    .object({ x: z.int(), y: z.int(), width: z.int().min(400), height: z.int().min(300), isMaximized: z.boolean() })
    .optional(),
});
export type ShellState = z.infer<typeof ShellState>;

/** What the shell remembers between starts. An unreadable file is an empty one: nothing in it is worth a failed start. */
export function readState(path: string): ShellState {
  try {
    return ShellState.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return {};
  }
}

export function updateState(path: string, change: ShellState): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, JSON.stringify({ ...readState(path), ...change }, null, 2));
  renameSync(temporary, path);
}
