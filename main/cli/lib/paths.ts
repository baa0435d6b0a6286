import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** The root of the checkout or of the installed program. */
export const rootDir = resolve(import.meta.dirname, "../../..");
export const resourcesDir = join(rootDir, "resources");
export const rendererDir = join(rootDir, "out", "renderer");
export const pdfWorkerPath = join(rootDir, "main/engine/corpus/readers/pdf/pdf-worker.ts");
export const modelHostPath = join(rootDir, "main/engine/inference/host/main.ts");
export const trainerPath = join(
  rootDir,
  "native-trainer/build",
  process.platform === "win32" ? "native-trainer.exe" : "native-trainer",
);

/** node-llama-cpp's packages for this system, whose compute libraries the trainer loads, too. */
export const packagesDir = join(rootDir, "node_modules", "@node-llama-cpp");

export function programVersion(): string {
  const { version } = JSON.parse(readFileSync(join(rootDir, "package.json"), "utf8")) as { version: string };
  return version;
}

export function defaultWorkspaceDir(): string {
  return process.env["PREFLEXOR_WORKSPACE"] ?? resolve("workspace");
}

export function isCheckout(): boolean {
  return existsSync(join(rootDir, "native-trainer", "CMakeLists.txt"));
}
