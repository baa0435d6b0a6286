import { app, dialog, type BrowserWindow } from "electron";
import type { EngineHost } from "./engine-host.ts";

/**
 * Quitting in order: ask when something runs, stop the engine within its budget, then let Electron go. Closing the
 * window is quitting, and asks while the window can still be kept.
 */
export function createQuit(engineHost: EngineHost): { guardWindow(window: BrowserWindow): void } {
  let phase: "open" | "asking" | "stopping" | "stopped" = "open";

  async function quit(): Promise<void> {
    phase = "asking";
    if (!(await mayQuit(engineHost))) {
      phase = "open";
      return;
    }
    phase = "stopping";
    await engineHost.stop();
    phase = "stopped";
    app.quit();
  }

  app.on("before-quit", (event) => {
    if (phase === "stopped") return;
    event.preventDefault();
    if (phase === "open") void quit();
  });
  app.on("window-all-closed", () => app.quit());

  return {
    guardWindow: (window) =>
      void window.on("close", (event) => {
        if (phase === "stopped") return;
        event.preventDefault();
        app.quit();
      }),
  };
}

async function mayQuit(engineHost: EngineHost): Promise<boolean> {
  const { runningJobs } = engineHost.activity;
  if (runningJobs.length === 0) return true;
  const { response } = await dialog.showMessageBox({
    type: "question",
    buttons: ["Quit", "Keep running"],
    defaultId: 1,
    cancelId: 1,
    message: runningJobs.length === 1 ? "A job is running" : `${runningJobs.length} jobs are running`,
    detail: `${runningJobs.map(({ title }) => title).join("\n")}\n\nAfter quitting, the work goes on where it was when you start the program again.`,
  });
  return response === 0;
}
