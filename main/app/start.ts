/**
 * @file `npm start`: opens the built window in the Electron that npm installed. That package holds no program but
 * fetches it on first use, which needs the network once; without it the reason is said in words.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const projectDir = resolve(import.meta.dirname, "../..");
const packageDir = dirname(createRequire(import.meta.url).resolve("electron/package.json"));
const executable = findExecutable() ?? download();
if (executable === undefined) process.exitCode = 3;
else open(executable);

function findExecutable(): string | undefined {
  const pathFile = join(packageDir, "path.txt");
  const name = existsSync(pathFile) ? readFileSync(pathFile, "utf8").trim() : "electron";
  const found = join(process.env["ELECTRON_OVERRIDE_DIST_PATH"] ?? join(packageDir, "dist"), name);
  return existsSync(found) ? found : undefined;
}

function download(): string | undefined {
  const { version } = JSON.parse(readFileSync(join(packageDir, "package.json"), "utf8")) as { version: string };
  process.stderr.write(`Fetching Electron ${version}, once …\n`);
  const { status } = spawnSync(process.execPath, [join(packageDir, "install.js")], { stdio: ["ignore", 2, 2] });
  const found = status === 0 ? findExecutable() : undefined;
  if (found !== undefined) return found;
  process.stderr.write(
    [
      `The window cannot be opened: Electron ${version} is not on this machine and could not be downloaded.`,
      "Connect once and run npm start again; or let ELECTRON_OVERRIDE_DIST_PATH name a folder that holds Electron;",
      "or open the same window in a browser with `npm run -s preflexor -- serve`.",
      "",
    ].join("\n"),
  );
  return undefined;
}

function open(path: string): void {
  const child = spawn(path, [projectDir, ...process.argv.slice(2)], { stdio: "inherit" });
  child.once("exit", (code, signal) => (process.exitCode = signal ? 1 : (code ?? 1)));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
}
