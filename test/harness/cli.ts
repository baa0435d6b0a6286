import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export const rootDir = join(import.meta.dirname, "../..");
const entry = join(rootDir, "main/cli/preflexor.mjs");

export type CliResult = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };
export type CliOptions = { env?: NodeJS.ProcessEnv; timeoutMs?: number; execPath?: string };

/** Starts the command line as a user would: a process of its own, nothing shared with the test. */
export function startCli(args: string[], options: CliOptions = {}): { child: ChildProcess; ended: Promise<CliResult> } {
  const child = spawn(options.execPath ?? process.execPath, [entry, ...args], {
    cwd: rootDir,
    env: { ...process.env, NODE_OPTIONS: "", VITEST: "", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const result = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (result.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (result.stderr += text));
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 120_000);
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...result });
    });
  });
  return { child, ended };
}

export function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).ended;
}

/** Runs with --json and parses the one document on stdout. */
export async function runJson(
  args: string[],
  options: CliOptions = {},
): Promise<{ code: number | null; json: unknown }> {
  const { code, stdout, stderr } = await runCli(["--json", ...args], options);
  try {
    return { code, json: JSON.parse(stdout) };
  } catch {
    throw new Error(`no JSON on stdout of ${args.join(" ")} (exit ${code}):\n${stdout}\n${stderr}`);
  }
}
