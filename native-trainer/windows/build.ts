/**
 * Builds for Windows on a Linux machine, with zig as the compiler:
 *
 *   npm run build:native -- --target win-x64
 *
 * native-trainer/build/win-x64 then holds the trainer, ggml's base and registry libraries as node-llama-cpp's package for
 * Windows has them, and ggml's CPU libraries compiled with optimisation, which that package's are not: under the same names,
 * to take their places.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  buildDir,
  cmakeSettings,
  compile,
  configure,
  findLlamaRelease,
  llamaDir,
  lockBuild,
  type Log,
  root,
  run,
  unpackLlama,
} from "../build-tools.ts";
import { ggmlIdentity, writeDefinition } from "./dll.ts";
import { fetchStockLibraries } from "./stock.ts";
import { installZig, type Zig } from "./zig.ts";

/** What is shipped. */
export const windowsDir = join(buildDir, "win-x64");
const workDir = join(buildDir, "windows");
const trainerBuildDir = join(workDir, "trainer");
const cpuBuildDir = join(workDir, "ggml-cpu");

export async function buildForWindows(log: Log): Promise<void> {
  const unlock = await lockBuild(log);
  try {
    const release = findLlamaRelease();
    const zig = await installZig(workDir, log);
    const stockDir = await fetchStockLibraries(release.version, workDir, log);
    await unpackLlama(release, log);
    const importLibrary = await makeImportLibrary(zig, stockDir, log);
    await buildTrainer(zig, stockDir, importLibrary, log);
    await buildCpuLibraries(zig, importLibrary, log);
    collect(stockDir);
    log(`native-trainer: built ${windowsDir}`);
  } finally {
    unlock();
  }
}

/** The programs that ctest runs, through `emulator`. Returns the folder to run ctest in. */
export async function buildWindowsTests(emulator: string, log: Log): Promise<string> {
  const zig = await installZig(workDir, log);
  log("native-trainer: compiling the tests for Windows");
  await configure(root, trainerBuildDir, { CMAKE_CROSSCOMPILING_EMULATOR: emulator }, log, zig.env);
  await compile(trainerBuildDir, "all", log, zig.env);
  return trainerBuildDir;
}

async function makeImportLibrary(zig: Zig, stockDir: string, log: Log): Promise<string> {
  const definition = join(workDir, "ggml-base.def");
  const library = join(workDir, "libggml-base.a");
  writeDefinition(join(stockDir, "ggml-base.dll"), definition);
  const args = ["-m", "i386:x86-64", "-D", "ggml-base.dll", "-d", definition, "-l", library];
  await run(zig.path, ["dlltool", ...args], log, zig.env);
  return library;
}

async function buildTrainer(zig: Zig, stockDir: string, importLibrary: string, log: Log): Promise<void> {
  const settings = {
    ...cmakeSettings,
    ...toolchain(zig),
    GGML_BASE_LIBRARY: importLibrary,
    GGML_IDENTITY: ggmlIdentity(join(stockDir, "ggml-base.dll")),
  };
  log("native-trainer: compiling for Windows (zig compiles its C++ library first, which takes minutes)");
  await configure(root, trainerBuildDir, settings, log, zig.env);
  await compile(trainerBuildDir, "native-trainer", log, zig.env);
}

async function buildCpuLibraries(zig: Zig, importLibrary: string, log: Log): Promise<void> {
  const settings = {
    CMAKE_BUILD_TYPE: "Release",
    ...toolchain(zig),
    GGML_DIR: join(llamaDir, "ggml"),
    GGML_BASE_LIBRARY: importLibrary,
  };
  log("native-trainer: compiling ggml's CPU libraries for Windows");
  await configure(join(root, "windows", "ggml-cpu"), cpuBuildDir, settings, log, zig.env);
  await compile(cpuBuildDir, "all", log, zig.env);
}

function toolchain(zig: Zig): Record<string, string> {
  return { CMAKE_TOOLCHAIN_FILE: join(root, "windows", "zig.cmake"), ZIG: zig.path };
}

/** Processors of the package's libraries that ours do not tell apart: each takes the best of ours that it can run. */
const standIns: Record<string, string> = {
  sandybridge: "sse42",
  ivybridge: "sse42",
  piledriver: "sse42",
  cannonlake: "skylakex",
  cascadelake: "skylakex",
  cooperlake: "skylakex",
  sapphirerapids: "zen4",
};

function collect(stockDir: string): void {
  rmSync(windowsDir, { recursive: true, force: true });
  mkdirSync(windowsDir, { recursive: true });
  copy(trainerBuildDir, /^native-trainer\.exe$/);
  copy(stockDir, /^ggml(-base|\..*)\.dll$/);
  copy(cpuBuildDir, /^ggml-cpu-.*\.dll$/);
  for (const [processor, standIn] of Object.entries(standIns))
    copyFileSync(join(cpuBuildDir, `ggml-cpu-${standIn}.dll`), join(windowsDir, `ggml-cpu-${processor}.dll`));
}

function copy(from: string, names: RegExp): void {
  for (const name of readdirSync(from).filter((each) => names.test(each)))
    copyFileSync(join(from, name), join(windowsDir, name));
}
