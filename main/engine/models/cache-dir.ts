import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** Where `models get` keeps files for all workspaces of this user: the platform's own place for caches. */
export function defaultModelCacheDir(): string {
  return join(platformCacheDir(), "preflexor-studio", "models");
}

function platformCacheDir(): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = process.env;
  if (xdg && isAbsolute(xdg)) return xdg;
  if (process.platform === "win32" && local) return local;
  return process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
}
