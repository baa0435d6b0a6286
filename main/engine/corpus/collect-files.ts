import { readdir, realpath, stat } from "node:fs/promises";
import { join, resolve } from "node:path";

/** Every file that the paths name: files as they are, folders with all that is below them, in order, each once. Hidden entries of folders are left out. */
export async function collectFiles(paths: readonly string[], signal: AbortSignal): Promise<string[]> {
  const files = new Set<string>();
  const seenFolders = new Set<string>();
  for (const path of paths) await collect(resolve(path));
  return [...files];

  async function collect(path: string): Promise<void> {
    signal.throwIfAborted();
    const kind = await kindOf(path);
    // what is not there is named too, so that it can be told
    if (kind !== "folder") return void (kind !== "other" && files.add(path));
    const real = await realpath(path);
    if (seenFolders.has(real)) return;
    seenFolders.add(real);
    const names = await readdir(path).catch((): string[] => []);
    for (const name of names.toSorted()) if (!name.startsWith(".")) await collect(join(path, name));
  }
}

async function kindOf(path: string): Promise<"file" | "folder" | "missing" | "other"> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return "missing";
  if (found.isDirectory()) return "folder";
  return found.isFile() ? "file" : "other";
}
