/** What the builds for this system (build.ts) and for Windows (windows/build.ts) share. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(fileURLToPath(import.meta.url));
export const buildDir = join(root, "build");
export const llamaDir = join(buildDir, "llama.cpp");
export const modulesDir = join(root, "..", "node_modules");
const lockDir = join(root, "build.lock");

export type Log = (line: string) => void;

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

/** The release of llama.cpp that the installed node-llama-cpp was made from. */
export type LlamaRelease = { version: string; bundle: string };

export function findLlamaRelease(): LlamaRelease {
  const packageDir = join(modulesDir, "node-llama-cpp");
  try {
    const { version } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as { version: string };
    return { version, bundle: join(packageDir, "llama", "gitRelease.bundle") };
  } catch (cause) {
    throw new TrainerBuildError("node-llama-cpp is not installed", "Run `npm ci` in the project folder first.", {
      cause,
    });
  }
}

/** The bundle is a git repository of one commit; only ggml and the JSON header are needed from it. */
export async function unpackLlama({ version, bundle }: LlamaRelease, log: Log): Promise<void> {
  const marker = join(llamaDir, ".node-llama-cpp-version");
  if (existsSync(marker) && readFileSync(marker, "utf8") === version) return;
  rmSync(llamaDir, { recursive: true, force: true });
  log("native-trainer: unpacking ggml's sources");
  await run("git", ["clone", "--quiet", "--no-checkout", bundle, llamaDir], log);
  await run("git", ["-C", llamaDir, "checkout", "--quiet", "HEAD", "--", "ggml", "vendor/nlohmann"], log);
  writeFileSync(marker, version);
}

/** The settings of every build of the trainer's CMakeLists.txt. */
export const cmakeSettings = {
  CMAKE_BUILD_TYPE: "Release",
  GGML_INCLUDE_DIR: join(llamaDir, "ggml", "include"),
  NLOHMANN_INCLUDE_DIR: join(llamaDir, "vendor"),
};

export function configure(
  source: string,
  folder: string,
  settings: Record<string, string>,
  log: Log,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const definitions = Object.entries(settings).map(([key, value]) => `-D${key}=${value}`);
  return run("cmake", ["-S", source, "-B", folder, ...definitions], log, env);
}

export function compile(folder: string, target: string, log: Log, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const nJobs = String(Math.min(4, availableParallelism()));
  const args = ["--build", folder, "--config", "Release", "--parallel", nJobs, "--target", target];
  return run("cmake", args, log, env);
}

const toolHints: Record<string, string> = {
  git: "Install git (Debian/Ubuntu: apt-get install git).",
  cmake: "Install cmake and a C++17 compiler (Debian/Ubuntu: apt-get install cmake g++ make).",
};

/** Runs a tool, keeps its output and shows it only when the tool fails. */
export function run(command: string, args: string[], log: Log, env: NodeJS.ProcessEnv = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
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
export async function lockBuild(log: Log): Promise<() => void> {
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
