/**
 * @file The program as it runs on another processor. ggml comes with a CPU library for each generation of instruction
 * sets and takes the best one that the processor can run; so a copy of the program in whose package only one of them is
 * left behaves as on a machine of that generation: other products, other roundings, other tokens.
 */
import { copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { rootDir } from "../../main/cli/lib/paths.ts";
import { cacheDir } from "./cache.ts";

const PLATFORM = `linux-${process.arch}`;
const PACKAGE = join("@node-llama-cpp", PLATFORM);
const LIBRARY = /^libggml-cpu-(.+)\.so$/;

export type ProgramCopy = {
  library: string;
  /** The folder that takes the checkout's place. */
  root: string;
  ggmlDir: string;
  remove(): void;
};

/** The names that node-llama-cpp ships for this platform, for example haswell and zen4; none where there is one for all. */
export function shippedLibraries(): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync(join(rootDir, "node_modules", PACKAGE, "bins", PLATFORM))
    .map((name) => LIBRARY.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .toSorted();
}

export function machineName(): string {
  return `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores`;
}

/** A copy of the program with this CPU library alone; files are hard links where the disk allows, so it costs little. */
export function programWithLibrary(library: string): ProgramCopy {
  mkdirSync(cacheDir(), { recursive: true });
  const root = mkdtempSync(join(cacheDir(), `program-${library}-`));
  const modules = join(root, "node_modules");
  mkdirSync(join(modules, "@node-llama-cpp"), { recursive: true });
  // Node finds packages from where a file really lies: what loads the library has to be here, the rest may be links
  const isReal = (name: string) => name === "node-llama-cpp" || name === "@node-llama-cpp";
  const packages = readdirSync(join(rootDir, "node_modules")).filter((name) => !isReal(name));
  for (const name of packages) symlinkSync(join(rootDir, "node_modules", name), join(modules, name));
  linkTree(join(rootDir, "node_modules", "node-llama-cpp"), join(modules, "node-llama-cpp"), () => true);
  linkTree(join(rootDir, "node_modules", PACKAGE), join(modules, PACKAGE), (name) => {
    const found = LIBRARY.exec(name)?.[1];
    return found === undefined || found === library;
  });
  cpSync(join(rootDir, "main"), join(root, "main"), { recursive: true });
  copyFileSync(join(rootDir, "package.json"), join(root, "package.json"));
  for (const name of ["resources", "native-trainer"]) symlinkSync(join(rootDir, name), join(root, name));
  return {
    library,
    root,
    ggmlDir: join(modules, PACKAGE, "bins", PLATFORM),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function linkTree(from: string, to: string, isWanted: (name: string) => boolean): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (!isWanted(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target, isWanted);
    else linkOrCopy(source, target);
  }
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
