/**
 * @file The desktop shell. Read here what happens in which order; each line has a file of its own.
 */

import { join } from "node:path";
import { app, BrowserWindow, crashReporter } from "electron";
import { registerAppScheme, serveAppProtocol } from "./app-protocol.ts";
import { EngineHost } from "./engine-host.ts";
import { openLog } from "./log.ts";
import { installMenu } from "./menu.ts";
import { findPage } from "./page-location.ts";
import { findPlaces } from "./places.ts";
import { createAwakeKeeper } from "./power.ts";
import { createQuit } from "./quit.ts";
import { denyPermissions, guardWebContents } from "./security.ts";
import { handleShellRequests } from "./shell-ipc.ts";
import { chooseStartEngine } from "./start-engine.ts";
import { readState } from "./state-file.ts";
import { createWindow } from "./window.ts";
import { chooseWorkspace, workspaceArgument } from "./workspace-choice.ts";
import { createWorkspaceSession } from "./workspace-session.ts";

app.setName("PRefLexOR Studio");
if (!app.commandLine.hasSwitch("user-data-dir"))
  app.setPath("userData", join(app.getPath("appData"), "PRefLexOR Studio"));

const isFirstInstance = app.requestSingleInstanceLock({
  workspaceDir: workspaceArgument(process.argv),
  cwd: process.cwd(),
});
if (isFirstInstance) prepare();
else app.quit();

/** What has to happen before Electron is ready. */
function prepare(): void {
  registerAppScheme();
  // as root, Chromium's sandbox cannot start; whoever gives that switch has decided
  if (!app.commandLine.hasSwitch("no-sandbox")) app.enableSandbox();
  crashReporter.start({ uploadToServer: false });
  void app.whenReady().then(start);
}

function start(): void {
  const places = findPlaces();
  const page = findPage();
  const log = openLog(join(places.logDir, "main.log"));
  log.info({ scope: "app", version: app.getVersion(), electron: process.versions.electron }, "start");

  serveAppProtocol(places.rendererDir);
  guardWebContents(page.origin, log);
  denyPermissions(page.origin);

  const keepAwake = createAwakeKeeper();
  const engineHost = new EngineHost({
    startEngine: chooseStartEngine(places, log),
    log,
    onState: (state) => log.info({ scope: "engine-host", ...state }, "engine state"),
    onActivity: ({ isTraining }) => keepAwake(isTraining),
  });
  const workspaceDir = chooseWorkspace({
    argv: process.argv,
    cwd: process.cwd(),
    env: process.env,
    remembered: readState(places.statePath).workspaceDir,
    documentsDir: app.getPath("documents"),
  });
  const session = createWorkspaceSession(engineHost, places, log, workspaceDir);
  session.start();

  handleShellRequests({ pageOrigin: page.origin, log, engineHost, restartEngine: session.restart });
  installMenu({ openWorkspace: session.open, workspaceDir: session.dir, logDir: places.logDir });
  const quit = createQuit(engineHost);
  const openWindow = () => quit.guardWindow(createWindow(places, page, log));
  openWindow();

  app.on("activate", () => BrowserWindow.getAllWindows().length === 0 && openWindow());
  app.on("second-instance", (_event, _argv, _cwd, asked) => {
    log.info({ scope: "app" }, "second start");
    focusWindow();
    session.openAsked(asked);
  });
}

function focusWindow(): void {
  const window = BrowserWindow.getAllWindows()[0];
  if (window?.isMinimized()) window.restore();
  window?.focus();
}
