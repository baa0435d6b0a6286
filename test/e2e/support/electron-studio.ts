import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { launchApp, type LaunchedApp, type LaunchOptions } from "../../harness/launch-app.ts";
import { attachedProgram } from "./attached-program.ts";
import { outDir, rootDir } from "./project.ts";

export type Studio = LaunchedApp & {
  page: Page;
  workspaceDir: string;
  preloadPath: string;
  /** Of the engine process that serves now, waiting for it to serve; from the shell's own log. */
  enginePid(): Promise<number>;
  mainLog(): Record<string, unknown>[];
};

/** The product's own window. Folders that are not given are new and go with `close()`. */
export async function launchStudio(options: Partial<LaunchOptions> & { workspaceDir?: string } = {}): Promise<Studio> {
  const scratchDir = mkdtempSync(join(tmpdir(), "studio-"));
  const workspaceDir = options.workspaceDir ?? join(scratchDir, "workspace");
  const removeScratch = () => rmSync(scratchDir, { recursive: true, force: true, maxRetries: 5 });
  const launched = await launchApp({
    appDir: attachedProgram(rootDir),
    userDataDir: join(scratchDir, "user-data"),
    ...options,
    args: [`--workspace=${workspaceDir}`, ...(options.args ?? [])],
  }).catch((error: unknown) => {
    removeScratch();
    throw error;
  });
  const page = await launched.app.firstWindow();
  let isClosed = false;
  const readMainLog = () => readFileSync(join(launched.userDataDir, "logs", "main.log"), "utf8");
  const mainLog = () =>
    readMainLog()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return {
    ...launched,
    page,
    workspaceDir,
    preloadPath: join(outDir, "preload", "index.cjs"),
    mainLog,
    async enginePid() {
      const newest = () => mainLog().findLast(({ msg }) => msg === "engine state");
      await expect.poll(() => newest()?.["status"]).toBe("running");
      return Number(mainLog().findLast(({ msg }) => msg === "engine started")?.["pid"]);
    },
    close: async (limitMs) => {
      if (isClosed) return;
      isClosed = true;
      await test.info().attach("main.log", { body: readMainLog() });
      await launched.close(limitMs);
      removeScratch();
    },
  };
}
