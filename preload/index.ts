/**
 * @file The only code between the page and Electron. It exposes functions, never `ipcRenderer` and never an event.
 */

import { contextBridge, ipcRenderer, webUtils } from "electron";
import type { ENGINE_PORT_CHANNEL, SHELL_CHANNEL, ShellAnswer, ShellRequest } from "../main/shared/shell.ts";
import type { EnginePortMessage, StudioBridge } from "../main/shared/studio.ts";

// Written out and checked by type: an import of the constants would bring zod into this file.
const shellChannel: typeof SHELL_CHANNEL = "shell";
const enginePortChannel: typeof ENGINE_PORT_CHANNEL = "engine-port";

async function ask(request: ShellRequest): Promise<unknown> {
  const answer = (await ipcRenderer.invoke(shellChannel, request)) as ShellAnswer;
  if (answer.ok) return answer.value;
  // only the message of an error crosses the bridge
  throw new Error([answer.error.message, answer.error.hint].filter(Boolean).join(". "));
}

// A port cannot cross the bridge; window.postMessage can carry it to the page.
ipcRenderer.on(enginePortChannel, (event) => {
  const message: EnginePortMessage = { t: "engine-port" };
  window.postMessage(message, location.origin, event.ports);
});

const bridge: StudioBridge = {
  connectEngine: () => {
    // a refusal arrives as a port that is closed at once
    void ask({ route: "connectEngine" }).catch(() => {});
  },
  pathForFile: (file) => webUtils.getPathForFile(file),
  platform: process.platform,
  restartEngine: async () => void (await ask({ route: "restartEngine" })),
  openFiles: async (kind) => (await ask({ route: "openFiles", kind })) as string[],
  revealPath: async (path) => void (await ask({ route: "revealPath", path })),
};

contextBridge.exposeInMainWorld("studio", bridge);
