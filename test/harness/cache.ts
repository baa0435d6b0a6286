/**
 * @file What the tests build once and keep: outside the repository, so that a fresh checkout and a cleaned one start fast.
 */

import { mkdir, mkdtemp, open, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const LOCK_TOUCH_MS = 1_000;
const LOCK_STALE_MS = 15_000;
const WAIT_LIMIT_MS = 10 * 60_000;

/** `$XDG_CACHE_HOME/preflexor-studio-test`, or the same below `~/.cache`. */
export function cacheDir(): string {
  const xdg = process.env["XDG_CACHE_HOME"];
  return join(xdg && isAbsolute(xdg) ? xdg : join(homedir(), ".cache"), "preflexor-studio-test");
}

/**
 * The folder `target`, made by `build(staging)` if it is not there yet.
 *
 * A folder appears under its final name only when it is complete: `build` fills a staging folder beside it, and the
 * rename is atomic. The lock merely saves two processes from doing the same work; if both ever hold it, the second
 * rename fails on the folder that is already there, and both go on with that one.
 */
export async function buildOnce(target: string, build: (staging: string) => Promise<void>): Promise<string> {
  if (existsSync(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const release = await acquireLock(`${target}.lock`);
  try {
    if (!existsSync(target)) await buildAndRename(target, build);
  } finally {
    await release();
  }
  return target;
}

async function buildAndRename(target: string, build: (staging: string) => Promise<void>): Promise<void> {
  await removeAbandoned(target);
  const staging = await mkdtemp(`${target}.partial-`);
  try {
    await build(staging);
    await rename(staging, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Staging folders of processes that were killed while building: whoever holds the lock knows of no other builder. */
async function removeAbandoned(target: string): Promise<void> {
  for (const name of await readdir(dirname(target))) {
    if (name.startsWith(`${basename(target)}.partial-`))
      await rm(join(dirname(target), name), { recursive: true, force: true });
  }
}

/**
 * The holder touches its lock file every second, so a lock left by a killed process is recognised by its age. A process
 * id inside the file would not do: ids are reused, and differ between containers that share a home folder.
 */
async function acquireLock(path: string): Promise<() => Promise<void>> {
  const giveUpAt = Date.now() + WAIT_LIMIT_MS;
  while (!(await createExclusively(path))) {
    if ((await ageMs(path)) > LOCK_STALE_MS) await rm(path, { force: true });
    else if (Date.now() > giveUpAt)
      throw new Error(`Another process has been building for too long. If there is none, delete ${path}`);
    else await sleep(200);
  }
  const timer = setInterval(() => {
    // A lock taken away as stale is no error: see buildOnce.
    void utimes(path, new Date(), new Date()).catch(() => {});
  }, LOCK_TOUCH_MS);
  return async () => {
    clearInterval(timer);
    await rm(path, { force: true });
  };
}

async function createExclusively(path: string): Promise<boolean> {
  try {
    await (await open(path, "wx")).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** 0 for a file that has just gone: whoever waited for it should look again. */
async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? Date.now() - found.mtimeMs : 0;
}
