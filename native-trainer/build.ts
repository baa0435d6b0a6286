/**
 * Builds native-trainer with the system's cmake and C++ compiler against the ggml of the installed node-llama-cpp.
 *
 *   node native-trainer/build.ts          build when something changed
 *   node native-trainer/build.ts --force  build anyway
 *   node native-trainer/build.ts --target win-x64  build for Windows (windows/build.ts)
 *
 * `ensureTrainerBuilt` is what demo, test and doctor call. A stamp (a hash over sources, this script and the version of
 * node-llama-cpp) is removed before a build and written after it, so that a half-finished build is noticed.
 */
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  buildDir,
  cmakeSettings,
  compile,
  configure,
  findLlamaRelease,
  type LlamaRelease,
  lockBuild,
  type Log,
  modulesDir,
  root,
  TrainerBuildError,
  unpackLlama,
} from "./build-tools.ts";
import { buildForWindows } from "./windows/build.ts";
import { ggmlIdentity, writeDefinition } from "./windows/dll.ts";

const stampPath = join(buildDir, "stamp.json");
const executableName = process.platform === "win32" ? "native-trainer.exe" : "native-trainer";

export const trainerPath = join(buildDir, executableName);

export type EnsureTrainerOptions = { log?: Log; force?: boolean };

/** Returns the path of an executable that is up to date, building it when it is not. */
export async function ensureTrainerBuilt({
  log = () => {},
  force = false,
}: EnsureTrainerOptions = {}): Promise<string> {
  const ggml = findGgml();
  const wanted = stampOf(ggml);
  if (!force && isBuilt(wanted)) return trainerPath;
  const release = await lockBuild(log);
  try {
    if (!force && isBuilt(wanted)) return trainerPath; // another process was faster
    await build(ggml, log);
    writeFileSync(stampPath, wanted);
    return trainerPath;
  } finally {
    release();
  }
}

type Ggml = LlamaRelease & { libDir: string };

function isBuilt(wanted: string): boolean {
  return existsSync(trainerPath) && existsSync(stampPath) && readFileSync(stampPath, "utf8") === wanted;
}

/** The libraries of node-llama-cpp's package for this platform, and the llama.cpp release it was made from. */
function findGgml(): Ggml {
  const release = findLlamaRelease();
  const platform = { linux: "linux", win32: "win", darwin: "mac" }[process.platform as string];
  const name = `${platform}-${process.arch}`;
  const libDir = join(modulesDir, "@node-llama-cpp", name, "bins", name);
  try {
    statSync(libDir);
  } catch (cause) {
    throw new TrainerBuildError(
      `node-llama-cpp has no libraries for ${name}`,
      "Run `npm ci` in the project folder first.",
      { cause },
    );
  }
  return { ...release, libDir };
}

function stampOf({ version, libDir }: Ggml): string {
  const hash = createHash("sha256");
  for (const file of sourceFiles())
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(root, file)))
      .update("\0");
  return JSON.stringify({ nodeLlamaCpp: version, libDir, sources: hash.digest("hex") });
}

function sourceFiles(): string[] {
  const inFolder = (folder: string) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(cpp|h|txt)$/.test(name))
      .map((name) => join(folder, name));
  return ["CMakeLists.txt", "build.ts", "build-tools.ts", ...inFolder("src")].toSorted();
}

async function build(ggml: Ggml, log: Log): Promise<void> {
  rmSync(stampPath, { force: true });
  mkdirSync(buildDir, { recursive: true });
  await unpackLlama(ggml, log);
  log(`native-trainer: configuring against ggml of node-llama-cpp ${ggml.version}`);
  rmSync(join(buildDir, "CMakeCache.txt"), { force: true });
  await configure(root, buildDir, settingsFor(ggml), log);
  log("native-trainer: compiling");
  await compile(buildDir, "native-trainer", log);
  log(`native-trainer: built ${trainerPath}`);
}

function settingsFor(ggml: Ggml): Record<string, string> {
  const settings = { ...cmakeSettings, GGML_LIB_DIR: ggml.libDir };
  return process.platform === "win32" ? { ...settings, ...dllSettings(ggml) } : settings;
}

/** Visual C++ wants an import library, which the package does not have, and a program its DLL beside it. */
function dllSettings({ libDir }: Ggml): Record<string, string> {
  const dllPath = join(libDir, "ggml-base.dll");
  copyFileSync(dllPath, join(buildDir, "ggml-base.dll"));
  const definition = join(buildDir, "ggml-base.def");
  writeDefinition(dllPath, definition);
  return { GGML_BASE_DEF: definition, GGML_IDENTITY: ggmlIdentity(dllPath) };
}

/** The executables that ctest runs; the trainer itself must have been built. */
export async function buildTrainerTests(log: Log): Promise<void> {
  log("native-trainer: compiling the tests");
  await compile(buildDir, "all", log);
}

/** Paths of executables: tests/run-measured.cpp, tests/make-random-model.cpp, and the trainer with ASan and UBSan. */
export type FuzzingTools = { measure: string; makeModel: string; sanitized: string | undefined };

/** What tests/fuzz.ts runs besides the trainer, which must have been built. */
export async function buildForFuzzing(log: Log, { withSanitized }: { withSanitized: boolean }): Promise<FuzzingTools> {
  for (const tool of ["run-measured", "make-random-model"]) await compile(buildDir, tool, log);
  const sanitized = withSanitized ? await buildSanitized(log) : undefined;
  return { measure: join(buildDir, "run-measured"), makeModel: join(buildDir, "make-random-model"), sanitized };
}

async function buildSanitized(log: Log): Promise<string> {
  log("native-trainer: compiling with sanitizers");
  const dir = join(buildDir, "asan");
  const flags = "-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer";
  const settings = { ...settingsFor(findGgml()), CMAKE_BUILD_TYPE: "Sanitized", CMAKE_CXX_FLAGS_SANITIZED: flags };
  await configure(root, dir, settings, log);
  await compile(dir, "native-trainer", log);
  return join(dir, executableName);
}

async function main(args: string[]): Promise<void> {
  const log = (line: string) => console.error(line);
  const target = args.includes("--target") ? args[args.indexOf("--target") + 1] : undefined;
  if (target === "win-x64") await buildForWindows(log);
  else if (target === undefined) await ensureTrainerBuilt({ log, force: args.includes("--force") });
  else throw new TrainerBuildError(`there is no target ${target}`, "Leave --target out, or say --target win-x64.");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof TrainerBuildError)) throw error;
    console.error(`error: ${error.message}\nhint: ${error.hint}`);
    process.exitCode = 3;
  }
}
