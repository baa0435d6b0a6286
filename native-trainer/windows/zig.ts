/** zig, a C and C++ compiler that has the headers and libraries of Windows with it, from its Python package. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Log, root, run } from "../build-tools.ts";

export type Zig = { path: string; env: NodeJS.ProcessEnv };

export async function installZig(workDir: string, log: Log): Promise<Zig> {
  const requirements = join(root, "windows", "requirements.txt");
  const folder = join(workDir, "zig");
  const marker = join(folder, "requirements.txt");
  if (!existsSync(marker) || readFileSync(marker, "utf8") !== readFileSync(requirements, "utf8")) {
    log("native-trainer: installing zig");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const args = ["--quiet", "--no-deps", "--no-compile", "--require-hashes", "--target", folder, "-r", requirements];
    await run("python3", ["-m", "pip", "install", ...args], log);
    writeFileSync(marker, readFileSync(requirements));
  }
  return {
    path: join(folder, "ziglang", "zig"),
    // compiled libc++ is kept there: minutes the first time, nothing later
    env: { ZIG_GLOBAL_CACHE_DIR: join(workDir, "zig-cache"), ZIG_LOCAL_CACHE_DIR: join(workDir, "zig-cache") },
  };
}
