import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { outDir, rootDir } from "./project.ts";
import { runCli } from "./cli.ts";

/** The tests see the program as it is now, with its real models: built when a source is newer, fetched when missing. */
export default function globalSetup(): void {
  if (isBuildStale()) build();
  const workspaceDir = mkdtempSync(join(tmpdir(), "e2e-models-"));
  try {
    for (const name of ["all-minilm-l6-v2", "smollm2-135m-instruct"]) runCli(workspaceDir, ["models", "get", name]);
  } finally {
    rmSync(workspaceDir, { recursive: true, force: true });
  }
}

function isBuildStale(): boolean {
  const built = [join(outDir, "main", "app.js"), join(outDir, "renderer", "index.html")];
  if (!built.every((path) => existsSync(path))) return true;
  const builtAt = Math.min(...built.map((path) => statSync(path).mtimeMs));
  return ["main", "preload", "renderer"].some((folder) => newestIn(join(rootDir, folder)) > builtAt);
}

function newestIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
}

function build(): void {
  const cli = join(rootDir, "node_modules", "electron-vite", "bin", "electron-vite.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "build"], { cwd: rootDir, encoding: "utf8" });
  if (status !== 0) throw new Error(`The build failed:\n${stdout}\n${stderr}`);
}
