import { existsSync } from "node:fs";
import { isAbsolute } from "node:path";
import { BrowserWindow, dialog, ipcMain, MessageChannelMain, shell, type IpcMainInvokeEvent } from "electron";
import { z } from "zod";
import { DOCUMENT_FORMATS } from "../shared/document-formats.ts";
import { AppError, serializeError } from "../shared/errors.ts";
import { ENGINE_PORT_CHANNEL, SHELL_CHANNEL, ShellRequest, type ShellAnswer } from "../shared/shell.ts";
import type { EngineHost } from "./engine-host.ts";
import type { Log } from "./log.ts";
import { originOf } from "./security.ts";

type Routes = {
  [Route in ShellRequest["route"]]: (
    request: Extract<ShellRequest, { route: Route }>,
    window: BrowserWindow,
  ) => unknown;
};

export type ShellIpcDeps = { pageOrigin: string; log: Log; engineHost: EngineHost; restartEngine(): Promise<void> };

/** The one handler that the page can reach. Who asks is decided by the frame that asks, never by what it says. */
export function handleShellRequests(deps: ShellIpcDeps): void {
  const routes = createRoutes(deps);
  ipcMain.handle(SHELL_CHANNEL, async (event, payload: unknown): Promise<ShellAnswer> => {
    try {
      const window = windowOf(event, deps.pageOrigin);
      const parsed = ShellRequest.safeParse(payload);
      if (!parsed.success) throw new AppError("VALIDATION_FAILED", z.prettifyError(parsed.error));
      const route = routes[parsed.data.route] as (request: ShellRequest, window: BrowserWindow) => unknown;
      return { ok: true, value: await route(parsed.data, window) };
    } catch (error) {
      deps.log.warn({ scope: "shell", err: error }, "a request of the window failed");
      return { ok: false, error: serializeError(error) };
    }
  });
}

/** The window whose own top page asks, if it is ours. */
function windowOf(event: IpcMainInvokeEvent, pageOrigin: string): BrowserWindow {
  const frame = event.senderFrame;
  const window = BrowserWindow.fromWebContents(event.sender);
  if (!window || !frame || frame !== event.sender.mainFrame || originOf(frame.url) !== pageOrigin)
    throw new AppError("VALIDATION_FAILED", "The request came from a page that is not the program's own");
  return window;
}

function createRoutes(deps: ShellIpcDeps): Routes {
  return {
    connectEngine: (_request, window) => connectEngine(deps.engineHost, window),
    restartEngine: () => deps.restartEngine(),
    openFiles: ({ kind }, window) => openFiles(kind, window),
    revealPath: ({ path }) => {
      if (!isAbsolute(path) || !existsSync(path)) throw new AppError("NOT_FOUND", `There is no ${path}`);
      shell.showItemInFolder(path);
    },
  };
}

/** Each load of the page gets a channel of its own. Without an engine its end is closed at once, which the page notices. */
function connectEngine(engineHost: EngineHost, window: BrowserWindow): void {
  const { port1, port2 } = new MessageChannelMain();
  window.webContents.postMessage(ENGINE_PORT_CHANNEL, null, [port1]);
  if (!engineHost.connect(port2)) port2.close();
}

async function openFiles(kind: "documents" | "model", window: BrowserWindow): Promise<string[]> {
  const options: Electron.OpenDialogOptions =
    kind === "model"
      ? { properties: ["openFile"], filters: [{ name: "GGUF model", extensions: ["gguf"] }] }
      : { properties: documentProperties(), filters: [documentFilter()] };
  const { filePaths } = await dialog.showOpenDialog(window, options);
  return filePaths;
}

/** One filter for all formats: a dialog shows the files of one filter at a time. */
function documentFilter(): Electron.FileFilter {
  const formats = Object.values(DOCUMENT_FORMATS);
  return {
    name: formats.map(({ name }) => name).join(", "),
    extensions: formats.flatMap(({ extensions }) => extensions),
  };
}

/** Only macOS has a dialog for files and folders at once; elsewhere asking for both gives folders alone. */
function documentProperties(): ("openFile" | "openDirectory" | "multiSelections")[] {
  return ["openFile", "multiSelections", ...(process.platform === "darwin" ? (["openDirectory"] as const) : [])];
}
