import { app, BrowserWindow, dialog, Menu, shell, type MenuItemConstructorOptions } from "electron";

export type MenuActions = {
  openWorkspace(dir: string): void;
  workspaceDir(): string;
  logDir: string;
};

export function installMenu(actions: MenuActions): void {
  Menu.setApplicationMenu(
    Menu.buildFromTemplate([...appMenu(), fileMenu(actions), editMenu(), viewMenu(), helpMenu(actions)]),
  );
}

/** The user's choice of a folder, or undefined. */
export async function askForWorkspace(current: string): Promise<string | undefined> {
  const options: Electron.OpenDialogOptions = {
    title: "Open workspace",
    message: "A workspace is a folder: an existing one, or an empty one for a new corpus",
    defaultPath: current,
    buttonLabel: "Open workspace",
    properties: ["openDirectory", "createDirectory"],
  };
  const window = BrowserWindow.getFocusedWindow();
  const { filePaths } = await (window ? dialog.showOpenDialog(window, options) : dialog.showOpenDialog(options));
  return filePaths[0];
}

function appMenu(): MenuItemConstructorOptions[] {
  return process.platform === "darwin" ? [{ role: "appMenu" }] : [];
}

function fileMenu(actions: MenuActions): MenuItemConstructorOptions {
  return {
    label: "&File",
    submenu: [
      {
        label: "Open workspace…",
        accelerator: "CmdOrCtrl+O",
        click: () =>
          void askForWorkspace(actions.workspaceDir()).then((dir) => dir !== undefined && actions.openWorkspace(dir)),
      },
      { label: "Show workspace in file manager", click: () => void shell.openPath(actions.workspaceDir()) },
      { type: "separator" },
      { role: "quit" },
    ],
  };
}

function editMenu(): MenuItemConstructorOptions {
  return { role: "editMenu" };
}

function viewMenu(): MenuItemConstructorOptions {
  return {
    label: "&View",
    submenu: [
      { role: "reload" },
      ...(app.isPackaged ? [] : [{ role: "toggleDevTools" } satisfies MenuItemConstructorOptions]),
      { type: "separator" },
      { role: "resetZoom" },
      { role: "zoomIn" },
      { role: "zoomOut" },
      { role: "togglefullscreen" },
    ],
  };
}

function helpMenu(actions: MenuActions): MenuItemConstructorOptions {
  return {
    role: "help",
    submenu: [
      { label: "Show logs", click: () => void shell.openPath(actions.logDir) },
      { label: "About PRefLexOR Studio", click: () => void showAbout() },
    ],
  };
}

async function showAbout(): Promise<void> {
  const { electron, chrome, node } = process.versions;
  await dialog.showMessageBox({
    type: "info",
    title: "About",
    message: `PRefLexOR Studio ${app.getVersion()}`,
    detail: `Electron ${electron}, Chromium ${chrome}, Node ${node}\nRuns on this computer; nothing is sent anywhere unless you configure it.`,
  });
}
