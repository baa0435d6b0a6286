import { resolve } from "node:path";
import { app, BrowserWindow, dialog } from "electron";
import { z } from "zod";
import type { EngineInit } from "../shared/engine-frames.ts";
import { isAppError, serializeError } from "../shared/errors.ts";
import type { EngineHost } from "./engine-host.ts";
import type { Log } from "./log.ts";
import { askForWorkspace } from "./menu.ts";
import type { Places } from "./places.ts";
import { updateState } from "./state-file.ts";

/** What a second start of the program sends to the first. */
const AskedWorkspace = z.object({ workspaceDir: z.string().optional(), cwd: z.string() });

/** Which workspace is open, and the engine that serves it. */
export function createWorkspaceSession(engineHost: EngineHost, places: Places, log: Log, initialDir: string) {
  let workspaceDir = initialDir;

  async function start(): Promise<void> {
    try {
      await engineHost.start(engineInit(places, workspaceDir));
      updateState(places.statePath, { workspaceDir });
    } catch (error) {
      // a crash has its banner in the window; a reason that the engine names needs an answer
      if (!isAppError(error, "ENGINE_GONE")) await explain(error);
    }
  }

  async function open(dir: string): Promise<void> {
    if (resolve(dir) === resolve(workspaceDir) && engineHost.state.status !== "stopped") return;
    log.info({ scope: "workspace" }, "another workspace was opened");
    workspaceDir = dir;
    await engineHost.stop();
    engineHost.resetBreaker();
    const started = start();
    for (const window of BrowserWindow.getAllWindows()) window.webContents.reload();
    await started;
  }

  async function explain(error: unknown): Promise<void> {
    const { code, message, hint } = serializeError(error);
    log.error({ scope: "workspace", code, err: error }, "the workspace could not be opened");
    const { response } = await dialog.showMessageBox({
      type: "error",
      message,
      detail: hint ?? "",
      buttons: ["Open another workspace…", "Try again", "Quit"],
      defaultId: 0,
      cancelId: 2,
    });
    if (response === 2) return app.quit();
    const dir = response === 0 ? await askForWorkspace(workspaceDir) : workspaceDir;
    await open(dir ?? workspaceDir);
  }

  return {
    dir: () => workspaceDir,
    start: () => void start(),
    restart: () => engineHost.restart(engineInit(places, workspaceDir)),
    open: (dir: string) => void open(dir),
    openAsked(asked: unknown): void {
      const parsed = AskedWorkspace.safeParse(asked);
      if (parsed.success && parsed.data.workspaceDir) void open(resolve(parsed.data.cwd, parsed.data.workspaceDir));
    },
  };
}

function engineInit(places: Places, workspaceDir: string): EngineInit {
  return {
    workspaceDir,
    resourcesDir: places.resourcesDir,
    logDir: places.logDir,
    trainerPath: places.trainerPath,
    packagesDir: places.packagesDir,
    modelHostPath: places.modelHostPath,
    pdfWorkerPath: places.pdfWorkerPath,
    version: app.getVersion(),
  };
}
