import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cliPath } from "./cli.ts";
import { nodePath, rootDir } from "./project.ts";

export type Served = { url: string; process: ChildProcess; close(): Promise<void> };

const START_LIMIT_MS = 60_000;

/** `preflexor serve` as a user starts it, in a process of its own. */
export async function startServe(workspaceDir: string): Promise<Served> {
  const child = spawn(nodePath, [cliPath, "--workspace", workspaceDir, "--json", "serve"], {
    cwd: rootDir,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (part: Buffer) => (stderr += part.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    let stdout = "";
    const fail = (why: string) => reject(new Error(`preflexor serve ${why}: ${stdout}${stderr.slice(-3000)}`));
    const timer = setTimeout(() => fail("did not start"), START_LIMIT_MS);
    child.stdout.on("data", (part: Buffer) => {
      stdout += part.toString();
      if (!stdout.includes("\n")) return;
      clearTimeout(timer);
      resolve((JSON.parse(stdout.split("\n")[0]!) as { url: string }).url);
    });
    child.once("exit", (code) => fail(`ended with ${code}`));
  });
  return { url, process: child, close: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exited;
  clearTimeout(timer);
}
