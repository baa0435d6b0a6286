/**
 * Builds native-trainer with the system's cmake and C++ compiler against the ggml of the installed node-llama-cpp.
 *
 *   node native-trainer/build.ts          build when something changed
 *   node native-trainer/build.ts --force  build anyway
 *
 * `ensureTrainerBuilt` is what demo, test and doctor call. A stamp (a hash over sources, this script and the version of
 * node-llama-cpp) is removed before a build and written after it, so that a half-finished build is noticed.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(fileURLToPath(import.meta.url));
const buildDir = join(root, "build");
const llamaDir = join(buildDir, "llama.cpp");
const stampPath = join(buildDir, "stamp.json");
const lockDir = join(root, "build.lock");
const executableName = process.platform === "win32" ? "native-trainer.exe" : "native-trainer";

export const trainerPath = join(buildDir, executableName);

export type EnsureTrainerOptions = { log?: (line: string) => void; force?: boolean };

/** What the user can act on: a missing tool or a failed compile. Same shape as the program's AppError. */
export class TrainerBuildError extends Error {
  readonly code = "TRAINER_BUILD";
  readonly hint: string;
  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TrainerBuildError";
    this.hint = hint;
  }
}

/** Returns the path of an executable that is up to date, building it when it is not. */
export async function ensureTrainerBuilt({
  log = () => {},
  force = false,
}: EnsureTrainerOptions = {}): Promise<string> {
  const ggml = findGgml();
  const wanted = stampOf(ggml);
  if (!force && isBuilt(wanted)) return trainerPath;
  const release = await lock(log);
  try {
    if (!force && isBuilt(wanted)) return trainerPath; // another process was faster
    await build(ggml, log);
    writeFileSync(stampPath, wanted);
    return trainerPath;
  } finally {
    release();
  }
}

type Ggml = { version: string; libDir: string; bundle: string };

function isBuilt(wanted: string): boolean {
  return existsSync(trainerPath) && existsSync(stampPath) && readFileSync(stampPath, "utf8") === wanted;
}

/** The libraries of node-llama-cpp's package for this platform, and the llama.cpp release it was made from. */
function findGgml(): Ggml {
  const platform = { linux: "linux", win32: "win", darwin: "mac" }[process.platform as string];
  const name = `${platform}-${process.arch}`;
  const modules = join(root, "..", "node_modules");
  try {
    const packageDir = join(modules, "node-llama-cpp");
    const { version } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as { version: string };
    const libDir = join(modules, "@node-llama-cpp", name, "bins", name);
    statSync(libDir);
    return { version, libDir, bundle: join(packageDir, "llama", "gitRelease.bundle") };
  } catch (cause) {
    throw new TrainerBuildError(
      `node-llama-cpp has no libraries for ${name}`,
      "Run `npm ci` in the project folder first.",
      { cause },
    );
  }
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
  return ["CMakeLists.txt", "build.ts", ...inFolder("src")].toSorted();
}

async function build(ggml: Ggml, log: (line: string) => void): Promise<void> {
  rmSync(stampPath, { force: true });
  mkdirSync(buildDir, { recursive: true });
  await unpackHeaders(ggml, log);
  log(`native-trainer: configuring against ggml of node-llama-cpp ${ggml.version}`);
  rmSync(join(buildDir, "CMakeCache.txt"), { force: true });
  await configure(buildDir, ggml, {}, log);
  log("native-trainer: compiling");
  await compile(buildDir, "native-trainer", log);
  log(`native-trainer: built ${trainerPath}`);
}

function configure(dir: string, ggml: Ggml, more: Record<string, string>, log: (line: string) => void): Promise<void> {
  const settings = {
    CMAKE_BUILD_TYPE: "Release",
    GGML_INCLUDE_DIR: join(llamaDir, "ggml", "include"),
    GGML_LIB_DIR: ggml.libDir,
    NLOHMANN_INCLUDE_DIR: join(llamaDir, "vendor"),
    ...more,
  };
  return run("cmake", ["-S", root, "-B", dir, ...Object.entries(settings).map(([k, v]) => `-D${k}=${v}`)], log);
}

/** The executables that ctest runs; the trainer itself must have been built. */
export async function buildTrainerTests(log: (line: string) => void): Promise<void> {
  log("native-trainer: compiling the tests");
  await compile(buildDir, "all", log);
}

/** Paths of executables: tests/run-measured.cpp, tests/make-random-model.cpp, and the trainer with ASan and UBSan. */
export type FuzzingTools = { measure: string; makeModel: string; sanitized: string | undefined };

/** What tests/fuzz.ts runs besides the trainer, which must have been built. */
export async function buildForFuzzing(
  log: (line: string) => void,
  { withSanitized }: { withSanitized: boolean },
): Promise<FuzzingTools> {
  for (const tool of ["run-measured", "make-random-model"]) await compile(buildDir, tool, log);
  const sanitized = withSanitized ? await buildSanitized(log) : undefined;
  return { measure: join(buildDir, "run-measured"), makeModel: join(buildDir, "make-random-model"), sanitized };
}

async function buildSanitized(log: (line: string) => void): Promise<string> {
  log("native-trainer: compiling with sanitizers");
  const dir = join(buildDir, "asan");
  const flags = "-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer";
  await configure(dir, findGgml(), { CMAKE_BUILD_TYPE: "Sanitized", CMAKE_CXX_FLAGS_SANITIZED: flags }, log);
  await compile(dir, "native-trainer", log);
  return join(dir, executableName);
}

function compile(dir: string, target: string, log: (line: string) => void): Promise<void> {
  const nJobs = String(Math.min(4, availableParallelism()));
  return run("cmake", ["--build", dir, "--parallel", nJobs, "--target", target], log);
}

/** The bundle is a git repository of one commit; only ggml's headers and the JSON header are needed from it. */
async function unpackHeaders(ggml: Ggml, log: (line: string) => void): Promise<void> {
  const marker = join(llamaDir, ".node-llama-cpp-version");
  if (existsSync(marker) && readFileSync(marker, "utf8") === ggml.version) return;
  rmSync(llamaDir, { recursive: true, force: true });
  log("native-trainer: unpacking ggml's headers");
  await run("git", ["clone", "--quiet", "--no-checkout", ggml.bundle, llamaDir], log);
  await run("git", ["-C", llamaDir, "checkout", "--quiet", "HEAD", "--", "ggml", "vendor/nlohmann"], log);
  writeFileSync(marker, ggml.version);
}

const toolHints: Record<string, string> = {
  git: "Install git (Debian/Ubuntu: apt-get install git).",
  cmake: "Install cmake and a C++17 compiler (Debian/Ubuntu: apt-get install cmake g++ make).",
};

/** Runs a tool, keeps its output and shows it only when the tool fails. */
function run(command: string, args: string[], log: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (data: Buffer) => (output += data.toString()));
    child.stderr.on("data", (data: Buffer) => (output += data.toString()));
    child.on("error", (cause) =>
      reject(new TrainerBuildError(`${command} could not be started`, toolHints[command] ?? "", { cause })),
    );
    child.on("close", (code) => {
      if (code === 0) return resolve();
      log(output.trimEnd());
      const hint = /CXX_COMPILER|C\+\+ compiler/i.test(output)
        ? "Install a C++17 compiler (Debian/Ubuntu: apt-get install g++ make)."
        : "The output above says what failed; `node native-trainer/build.ts --force` tries again.";
      reject(new TrainerBuildError(`${command} failed with exit code ${code}: ${lastLines(output)}`, hint));
    });
  });
}

function lastLines(output: string): string {
  return output.trimEnd().split("\n").slice(-3).join(" | ").slice(-500);
}

/** One build at a time; a lock left behind by a process that is gone is taken over. */
async function lock(log: (line: string) => void): Promise<() => void> {
  const owner = join(lockDir, "pid");
  for (let waits = 0; ; waits++) {
    try {
      mkdirSync(lockDir);
      writeFileSync(owner, String(process.pid));
      return () => rmSync(lockDir, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (waits >= 4 && !isAlive(owner)) rmSync(lockDir, { recursive: true, force: true });
    else if (waits === 0) log("native-trainer: waiting for another build");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function isAlive(owner: string): boolean {
  try {
    process.kill(Number(readFileSync(owner, "utf8")), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    await ensureTrainerBuilt({ log: (line) => console.error(line), force: process.argv.includes("--force") });
  } catch (error) {
    if (!(error instanceof TrainerBuildError)) throw error;
    console.error(`error: ${error.message}\nhint: ${error.hint}`);
    process.exitCode = 3;
  }
}
