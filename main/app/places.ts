import { join, resolve } from "node:path";
import { app } from "electron";

/** Where the parts of the program lie: beside the sources in development, in the resources of an installed program. */
export type Places = {
  rendererDir: string;
  preloadPath: string;
  enginePath: string;
  modelHostPath: string;
  pdfWorkerPath: string;
  resourcesDir: string;
  iconPath: string;
  trainerPath: string;
  /** node-llama-cpp's packages for this system: the compute libraries, which the trainer loads, too. */
  packagesDir: string;
  /** The project's own Node, for the child-process transport. */
  nodePath: string;
  logDir: string;
  statePath: string;
};

export function findPlaces(): Places {
  // The folder of the built main files: out/main.
  const mainDir = import.meta.dirname;
  const projectDir = resolve(mainDir, "../..");
  const resourcesDir = app.isPackaged ? process.resourcesPath : join(projectDir, "resources");
  const isWindows = process.platform === "win32";
  const trainerDir = app.isPackaged ? join(resourcesDir, "bin") : join(projectDir, "native-trainer", "build");
  const userDataDir = app.getPath("userData");
  return {
    rendererDir: resolve(mainDir, "../renderer"),
    preloadPath: resolve(mainDir, "../preload/index.cjs"),
    enginePath: join(mainDir, "engine.js"),
    modelHostPath: join(mainDir, "model-host.js"),
    pdfWorkerPath: join(mainDir, "pdf-worker.js"),
    resourcesDir,
    iconPath: join(resourcesDir, "icons", "icon.png"),
    trainerPath: join(trainerDir, isWindows ? "native-trainer.exe" : "native-trainer"),
    packagesDir: findPackagesDir(projectDir),
    nodePath:
      process.env["PREFLEXOR_NODE"] ?? join(projectDir, "node_modules", "node", "bin", isWindows ? "node.exe" : "node"),
    logDir: join(userDataDir, "logs"),
    statePath: join(userDataDir, "state.json"),
  };
}

/** A library that the system's own loader opens has to be a real file: outside the archive of an installed program. */
function findPackagesDir(projectDir: string): string {
  const unpackedDir = projectDir.replace(/app\.asar$/, "app.asar.unpacked");
  return join(unpackedDir, "node_modules", "@node-llama-cpp");
}
