/**
 * @file Starts a built program in the tests' Electron, under Playwright.
 *
 * [Note: one runtime folder per program] Electron's own distribution runs the folder named on its command line. The one
 * of electron-from-npm.ts runs only `resources/app` beside its executable. So each program gets a runtime folder of its
 * own: hard links to the files of the runtime (a hard link costs no space, and unlike a symbolic link it keeps the
 * executable's idea of where it lies) and a symbolic link `resources/app` to the program.
 */

import { _electron, type ElectronApplication } from "@playwright/test";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, link, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildOnce, cacheDir } from "./cache.ts";
import { ensureElectronRuntime, type ElectronRuntime } from "./electron-runtime.ts";
import { startDisplay } from "./xvfb.ts";

export type LaunchOptions = {
  /** The folder that holds the program's package.json. */
  appDir: string;
  args?: string[];
  env?: Record<string, string>;
  /** Kept after `close()`; without it each launch gets an empty one of its own, so that launches never share a lock. */
  userDataDir?: string;
  /**
   * Chromium's sandbox of the operating system. It refuses to run for root, so without it `--no-sandbox` is given, and a
   * program that overrules that switch with `app.enableSandbox()` never shows its window.
   */
  osSandbox?: boolean;
  timeoutMs?: number;
};

export type LaunchedApp = {
  app: ElectronApplication;
  runtime: ElectronRuntime;
  userDataDir: string;
  /** What the main process has written to stdout and stderr since the launch returned. */
  output: () => string;
  /** Quits as a user would; a program that has not ended after `limitMs` is killed, and that is an error. */
  close: (limitMs?: number) => Promise<void>;
};

export async function launchApp(options: LaunchOptions): Promise<LaunchedApp> {
  const runtime = await ensureElectronRuntime();
  const appDir = await realpath(options.appDir);
  const program = await programCommand(runtime, appDir);
  const userDataDir = options.userDataDir ?? (await mkdtemp(join(tmpdir(), "electron-user-data-")));
  const removeUserData = async () => {
    if (!options.userDataDir) await rm(userDataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const display = await startDisplay();
  try {
    const app = await _electron.launch({
      executablePath: program.executablePath,
      args: programArguments(program, userDataDir, options.args),
      env: launchEnvironment(display.name, options.env),
      chromiumSandbox: options.osSandbox ?? false,
      timeout: options.timeoutMs ?? 60_000,
    });
    const output = collectOutput(app);
    const close = async (limitMs = 20_000) => {
      try {
        await quit(app, limitMs);
      } finally {
        await display.close();
        await removeUserData();
      }
    };
    return { app, runtime, userDataDir, output, close };
  } catch (error) {
    await display.close();
    await removeUserData();
    throw error;
  }
}

/**
 * Starts the program without Playwright and returns its exit code when it has ended. For programs that are not meant to
 * open a window: attaching to one that ends at once fails in Playwright's own promises, now and then.
 */
export async function runApp(options: LaunchOptions & { userDataDir: string }): Promise<number | null> {
  const runtime = await ensureElectronRuntime();
  const program = await programCommand(runtime, await realpath(options.appDir));
  const sandbox = (options.osSandbox ?? false) ? [] : ["--no-sandbox"];
  const display = await startDisplay();
  try {
    const child = spawn(
      program.executablePath,
      [...programArguments(program, options.userDataDir, options.args), ...sandbox],
      {
        env: launchEnvironment(display.name, options.env),
        stdio: "ignore",
        timeout: options.timeoutMs ?? 60_000,
      },
    );
    const [code] = (await once(child, "exit")) as [number | null];
    return code;
  } finally {
    await display.close();
  }
}

type Program = { executablePath: string; args: string[] };

function programArguments(program: Program, userDataDir: string, extra: string[] = []): string[] {
  return [...program.args, `--user-data-dir=${userDataDir}`, ...softwareRendering(), ...extra];
}

async function programCommand(runtime: ElectronRuntime, appDir: string): Promise<Program> {
  if (runtime.source !== "npm-carrier") return { executablePath: runtime.executablePath, args: [appDir] };
  const dist = dirname(runtime.executablePath);
  const key = createHash("sha256").update(appDir).digest("hex").slice(0, 16);
  const programs = join(cacheDir(), `programs-${runtime.version}`);
  const target = await buildOnce(join(programs, key), async (staging) => {
    await removeOrphans(programs);
    await linkTree(dist, staging);
    await symlink(appDir, join(staging, "resources", "app"));
  });
  return { executablePath: join(target, basename(runtime.executablePath)), args: [] };
}

async function linkTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, destination] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(destination);
      await linkTree(source, destination);
    } else {
      // Some file systems have no hard links.
      await link(source, destination).catch(() => copyFile(source, destination));
    }
  }
}

/** Runtime folders of programs that no longer exist. */
async function removeOrphans(programs: string): Promise<void> {
  for (const name of await readdir(programs)) {
    const isComplete = /^[0-9a-f]{16}$/.test(name);
    if (isComplete && !existsSync(join(programs, name, "resources", "app")))
      await rm(join(programs, name), { recursive: true, force: true });
  }
}

/** Test machines have no graphics card; without this switch Chromium gives a page no WebGL at all. */
function softwareRendering(): string[] {
  return ["--enable-unsafe-swiftshader"];
}

function launchEnvironment(display: string, extra: Record<string, string> = {}): Record<string, string> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const env: Record<string, string> = {
    ...Object.fromEntries(inherited),
    ...(display ? { DISPLAY: display } : {}),
    ...extra,
  };
  // Set in a terminal of an Electron-based editor, it would turn the program into plain Node.
  delete env["ELECTRON_RUN_AS_NODE"];
  return env;
}

function collectOutput(app: ElectronApplication): () => string {
  let text = "";
  const append = (part: Buffer) => void (text += part);
  app.process().stdout?.on("data", append);
  app.process().stderr?.on("data", append);
  return () => text;
}

async function quit(app: ElectronApplication, limitMs: number): Promise<void> {
  const child = app.process();
  const ended = app.close().then(() => true);
  if (await Promise.race([ended, sleep(limitMs, false, { ref: false })])) return;
  child.kill("SIGKILL");
  await ended.catch(() => {});
  throw new Error(`The program did not quit within ${limitMs} ms and was killed`);
}
