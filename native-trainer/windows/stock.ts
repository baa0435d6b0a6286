/** ggml's libraries for Windows as node-llama-cpp ships them. npm does not install that package on other systems. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Log, modulesDir, root, run, TrainerBuildError } from "../build-tools.ts";

const packageName = "@node-llama-cpp/win-x64";

/** The folder with the libraries of this version: that of node_modules, or one fetched into `workDir`. */
export async function fetchStockLibraries(version: string, workDir: string, log: Log): Promise<string> {
  const installed = join(modulesDir, packageName, "bins", "win-x64");
  if (existsSync(installed)) return installed;
  const folder = join(workDir, `node-llama-cpp-${version}`);
  const libraries = join(folder, "package", "bins", "win-x64");
  if (existsSync(libraries)) return libraries;
  log(`native-trainer: fetching ${packageName} ${version}`);
  const archive = await fetchArchive(version, workDir, log);
  mkdirSync(folder, { recursive: true });
  try {
    await run("tar", ["-xzf", archive, "-C", folder], log);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  rmSync(archive);
  return libraries;
}

async function fetchArchive(version: string, workDir: string, log: Log): Promise<string> {
  await run("npm", ["pack", "--silent", "--pack-destination", workDir, `${packageName}@${version}`], log);
  const archive = join(workDir, `node-llama-cpp-win-x64-${version}.tgz`);
  const found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  const wanted = lockedIntegrity();
  if (found === wanted) return archive;
  rmSync(archive);
  throw new TrainerBuildError(
    `the fetched ${packageName} has the hash ${found}, package-lock.json says ${wanted}`,
    "Try again; if it stays so, the registry's copy is not the one that was tested.",
  );
}

function lockedIntegrity(): string | undefined {
  const lock = JSON.parse(readFileSync(join(root, "..", "package-lock.json"), "utf8")) as {
    packages: Record<string, { integrity?: string } | undefined>;
  };
  return lock.packages[`node_modules/${packageName}`]?.integrity;
}
