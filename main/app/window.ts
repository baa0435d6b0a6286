import { BrowserWindow, nativeTheme, screen } from "electron";
import type { Log } from "./log.ts";
import type { PageLocation } from "./page-location.ts";
import type { Places } from "./places.ts";
import { readState, updateState, type ShellState } from "./state-file.ts";

const DEFAULT_SIZE = { width: 1280, height: 800 };
const MAX_RELOADS = 3;
const RELOAD_WINDOW_MS = 60_000;

export function createWindow(places: Places, page: PageLocation, log: Log): BrowserWindow {
  const remembered = visibleBounds(readState(places.statePath).window);
  const window = new BrowserWindow({
    ...(remembered ?? DEFAULT_SIZE),
    minWidth: 900,
    minHeight: 600,
    title: "PRefLexOR Studio",
    icon: places.iconPath,
    show: false,
    // what is seen until the first paint
    backgroundColor: nativeTheme.shouldUseDarkColors ? "#1a1b1e" : "#ffffff",
    webPreferences: {
      preload: places.preloadPath,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      spellcheck: false, // its dictionaries come from the network
    },
  });
  if (remembered?.isMaximized) window.maximize();
  window.once("ready-to-show", () => window.show());
  window.on("close", () => updateState(places.statePath, { window: boundsOf(window) }));
  reloadWhenGone(window, log);
  void window
    .loadURL(page.url)
    .catch((error: unknown) => log.error({ scope: "window", err: error }, "the page did not load"));
  return window;
}

function boundsOf(window: BrowserWindow): NonNullable<ShellState["window"]> {
  return { ...window.getNormalBounds(), isMaximized: window.isMaximized() };
}

/** A screen may have been unplugged since: a window that nobody can see is no window. */
function visibleBounds(bounds: ShellState["window"]): ShellState["window"] {
  if (!bounds) return undefined;
  const area = screen.getDisplayMatching(bounds).workArea;
  const isInside =
    bounds.x >= area.x - bounds.width / 2 && bounds.y >= area.y - 10 && bounds.y < area.y + area.height - 50;
  return isInside ? bounds : undefined;
}

/** The page holds nothing that is not in the engine, so a new one is as good; but not for ever. */
function reloadWhenGone(window: BrowserWindow, log: Log): void {
  let reloads: number[] = [];
  window.webContents.on("render-process-gone", (_event, details) => {
    log.error({ scope: "window", reason: details.reason, exitCode: details.exitCode }, "the page's process is gone");
    if (details.reason === "clean-exit") return;
    const now = Date.now();
    reloads = [...reloads.filter((at) => now - at < RELOAD_WINDOW_MS), now];
    if (reloads.length <= MAX_RELOADS) window.webContents.reload();
  });
  window.webContents.on("console-message", (...event) => logConsole(log, event));
}

/** Errors and warnings of the page; the event's shape differs between Electron's versions. */
function logConsole(log: Log, event: unknown[]): void {
  const [details, level, message] = event as [{ level?: unknown; message?: unknown }, unknown, unknown];
  const severity = details.level ?? level;
  if (severity === "error" || severity === 3)
    log.error({ scope: "page" }, String(details.message ?? message).slice(0, 2000));
}
