import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

export const rootDir = resolve(import.meta.dirname, "../../..");
export const outDir = join(rootDir, "out");
export const screenshotsDir = join(rootDir, "test-results", "screenshots");
export const nodePath = join(
  rootDir,
  "node_modules",
  "node",
  "bin",
  process.platform === "win32" ? "node.exe" : "node",
);

/** Two of the papers that come with the program: a short one, and one with figures and two columns. */
export const shortPaper = samplePaper("08_Hyperelastics.jl_JOSS-draft.pdf");
export const figurePaper = samplePaper("05_metallic-glass-composites_SciRep2016.pdf");

function samplePaper(name: string): string {
  const path = join(rootDir, "resources", "sample-corpus", name);
  if (!existsSync(path)) throw new Error(`The sample corpus has no ${name}`);
  return path;
}
