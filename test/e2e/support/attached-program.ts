import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { rootDir } from "./project.ts";

/**
 * [Note: attached program] A window that opens in the very moment in which Playwright attaches stays paused for ever.
 * Playwright knows: it has a loader that holds back Electron's `ready` until it is attached, and gives it to Electron
 * with `-r`, but only when it looks for the executable itself. So the program under test gets a main file that loads
 * first that loader, then the product's own main file as it was built.
 */
export function attachedProgram(programDir: string): string {
  const shimDir = join(rootDir, "test-results", "attached", Buffer.from(programDir).toString("base64url").slice(-24));
  const { name, version, main } = JSON.parse(readFileSync(join(programDir, "package.json"), "utf8")) as Program;
  const playwright = createRequire(createRequire(import.meta.url).resolve("@playwright/test/package.json"));
  const loader = join(dirname(playwright.resolve("playwright-core/package.json")), "lib/server/electron/loader.js");
  const imports = [loader, join(programDir, main)].map(
    (path) => `import ${JSON.stringify(pathToFileURL(path).href)};\n`,
  );
  mkdirSync(shimDir, { recursive: true });
  writeFileSync(join(shimDir, "package.json"), JSON.stringify({ name, version, type: "module", main: "main.js" }));
  writeFileSync(join(shimDir, "main.js"), imports.join(""));
  return shimDir;
}

type Program = { name: string; version: string; main: string };
