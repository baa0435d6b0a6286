import { create } from "zustand";
import { AppError } from "../../main/shared/errors.ts";
import { isDocument } from "../../main/shared/document-formats.ts";
import { filesOfDrop } from "../lib/dropped-files.ts";
import type { Engine } from "./connection.ts";

type Imports = {
  /** Jobs that this window started, newest first: their outcome is shown above the table until dismissed. */
  jobIds: string[];
  /** Files on their way to the engine; a browser has to send them, the desktop only names them. */
  upload: { n: number; total: number } | null;
  /** Files that were no PDFs and were not sent. */
  skipped: string[];
  error: unknown;
  dismiss(jobId: string): void;
  dismissNotices(): void;
};

export const useImports = create<Imports>((set) => ({
  jobIds: [],
  upload: null,
  skipped: [],
  error: null,
  dismiss: (jobId) => set(({ jobIds }) => ({ jobIds: jobIds.filter((id) => id !== jobId) })),
  dismissNotices: () => set({ skipped: [], error: null }),
}));

/** Resolves to true when a job has started. Failures are kept for the screen that shows imports. */
export async function importDrop(engine: Engine, transfer: DataTransfer): Promise<boolean> {
  const studio = window.studio;
  if (studio) {
    const paths = [...transfer.files].map((file) => studio.pathForFile(file)).filter(Boolean);
    return begin(() => importPaths(engine, paths));
  }
  const files = filesOfDrop(transfer);
  return begin(async () => uploadAndImport(engine, await files));
}

export function importPicked(engine: Engine, files: File[]): Promise<boolean> {
  return begin(() => uploadAndImport(engine, files));
}

/** The system's own dialog; null where there is none and the page has to show a file input instead. */
export function openImportDialog(engine: Engine): Promise<boolean> | null {
  const studio = window.studio;
  if (!studio) return null;
  return begin(async () => {
    const paths = await studio.openFiles("documents");
    return paths.length > 0 ? importPaths(engine, paths) : undefined;
  });
}

export function importSample(engine: Engine): Promise<boolean> {
  return begin(async () => (await engine.client.corpus.importSample({})).jobId);
}

async function begin(start: () => Promise<string | undefined>): Promise<boolean> {
  useImports.setState({ error: null, skipped: [] });
  try {
    const jobId = await start();
    if (jobId) useImports.setState(({ jobIds }) => ({ jobIds: [jobId, ...jobIds] }));
    return jobId !== undefined;
  } catch (error) {
    useImports.setState({ error });
    return false;
  } finally {
    useImports.setState({ upload: null });
  }
}

async function importPaths(engine: Engine, paths: string[]): Promise<string> {
  if (paths.length === 0) {
    throw new AppError("IMPORT_UNSUPPORTED", "Nothing with a place on this disk was dropped", {
      hint: "Save the file first, then drop it from the file browser.",
    });
  }
  return (await engine.client.corpus.importFiles({ paths })).jobId;
}

async function uploadAndImport(engine: Engine, files: File[]): Promise<string> {
  const pdfs = files.filter(isDocument);
  useImports.setState({ skipped: files.filter((file) => !isDocument(file)).map(({ name }) => name) });
  if (pdfs.length === 0) {
    throw new AppError("IMPORT_UNSUPPORTED", "There is no PDF among these files", {
      hint: "The corpus takes PDF files and folders of them.",
    });
  }
  const paths: string[] = [];
  for (const [i, file] of pdfs.entries()) {
    useImports.setState({ upload: { n: i, total: pdfs.length } });
    paths.push(await uploadFile(file));
  }
  return importPaths(engine, paths);
}

/** Header values are Latin-1, file names are not: the name travels percent-encoded. */
async function uploadFile(file: File): Promise<string> {
  const response = await fetch("upload", {
    method: "POST",
    headers: { "content-type": "application/pdf", "x-file-name": encodeURIComponent(file.name) },
    body: file,
  });
  if (!response.ok) throw new AppError("INTERNAL", `${file.name} could not be handed over (status ${response.status})`);
  const { path } = (await response.json()) as { path: string }; // our own server's answer
  return path;
}
