import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError, isAppError } from "../../shared/errors.ts";
import { sha256OfFile } from "../lib/files.ts";
import { DOCUMENT_FORMATS } from "../../shared/document-formats.ts";
import type { Readers } from "./readers/readers.ts";

export type DocumentFiles = ReturnType<typeof createDocumentFiles>;
/** What a copy is found by. */
export type FileContent = { sha256: string; mediaType: string };

/** What a reader sees of a file to recognise it. */
const HEADER_BYTES = 1024;

/** The copies in the workspace: documents/<sha256>.<extension>, there whole or not at all. */
export function createDocumentFiles(workspaceDir: string, readers: Readers) {
  const dir = join(workspaceDir, "documents");
  const pathOf = (content: FileContent) => join(dir, `${content.sha256}.${readers.of(content).format.extensions[0]}`);
  let nCopies = 0;

  return {
    pathOf,
    /** Size and SHA-256 of a file that may be taken in. Errors: IMPORT_UNSUPPORTED, IMPORT_UNREADABLE. */
    async inspect(path: string, signal: AbortSignal): Promise<FileContent & { sizeBytes: number }> {
      try {
        const { sizeBytes, mediaType } = await checkFile(path, readers);
        return { sizeBytes, mediaType, sha256: await sha256OfFile(path, signal) };
      } catch (error) {
        throw isAppError(error) || signal.aborted ? error : unreadable(error);
      }
    },
    /** Copies the file in, unless it is there already. What is copied is what was hashed, or it is not kept. */
    async store(path: string, content: FileContent, signal: AbortSignal): Promise<void> {
      if (existsSync(pathOf(content))) return;
      await mkdir(dir, { recursive: true });
      const temporary = join(dir, `.import-${process.pid}-${nCopies++}.tmp`);
      try {
        const copied = await copyAndHash(path, temporary, signal);
        if (copied !== content.sha256)
          throw new AppError("IMPORT_UNREADABLE", "It changed while it was read", { hint: "Import it again." });
        await rename(temporary, pathOf(content));
      } finally {
        await rm(temporary, { force: true });
      }
    },
    remove: (content: FileContent): Promise<void> => rm(pathOf(content), { force: true }),
    /** What a killed process left half copied. To be called while no import runs. */
    async removeLeftovers(): Promise<void> {
      const names = await readdir(dir).catch((): string[] => []);
      for (const name of names) if (/^\.import-.*\.tmp$/.test(name)) await rm(join(dir, name), { force: true });
    },
  };
}

async function checkFile(path: string, readers: Readers): Promise<{ sizeBytes: number; mediaType: string }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size === 0)
      throw new AppError("IMPORT_UNREADABLE", "The file is empty", { hint: "Download or export it again." });
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    const reader = readers.recognise(header.subarray(0, bytesRead));
    if (!reader) throw unsupported();
    if (size > reader.maxSizeBytes) {
      const limitMb = Math.round(reader.maxSizeBytes / 2 ** 20);
      throw new AppError("IMPORT_UNREADABLE", `It is larger than ${limitMb} MB`, {
        hint: "Split it and import the parts.",
      });
    }
    return { sizeBytes: size, mediaType: reader.format.mediaType };
  } finally {
    await file.close();
  }
}

function unsupported(): AppError {
  const names = Object.values(DOCUMENT_FORMATS).map(({ name }) => name);
  const what = names.length === 1 ? `It is not a ${names[0]}` : `It is none of ${names.join(", ")}`;
  return new AppError("IMPORT_UNSUPPORTED", what, { hint: `Only ${names.join(", ")} files can be imported.` });
}

async function copyAndHash(from: string, to: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(
    createReadStream(from),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const part of source) {
        hash.update(part);
        yield part;
      }
    },
    createWriteStream(to, { flush: true }),
    { signal },
  );
  return hash.digest("hex");
}

function unreadable(cause: unknown): AppError {
  const code = (cause as { code?: unknown }).code;
  if (code === "ENOENT") return new AppError("IMPORT_UNREADABLE", "There is no such file", { cause });
  if (code === "EACCES" || code === "EPERM") {
    return new AppError("IMPORT_UNREADABLE", "The file may not be read", { hint: "Check its permissions.", cause });
  }
  return new AppError("IMPORT_UNREADABLE", "The file cannot be read", {
    hint: (cause as Error).message,
    cause,
  });
}
