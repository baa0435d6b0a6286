import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { nodePath, rootDir } from "./project.ts";

export const cliPath = join(rootDir, "main", "cli", "preflexor.mjs");

/** Runs a command of the real command line and gives its JSON. */
export function runCli(workspaceDir: string, args: string[], timeoutMs = 300_000): unknown {
  const { status, stdout, stderr } = spawnSync(nodePath, [cliPath, "--workspace", workspaceDir, "--json", ...args], {
    encoding: "utf8",
    timeout: timeoutMs,
    cwd: rootDir,
  });
  if (status !== 0)
    throw new Error(`preflexor ${args.join(" ")} ended with ${status}:\n${stdout}\n${stderr.slice(-3000)}`);
  return JSON.parse(stdout) as unknown;
}
