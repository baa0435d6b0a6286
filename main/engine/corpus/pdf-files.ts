import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { AppError, isAppError } from "../../shared/errors.ts";
import { sha256OfFile } from "../lib/files.ts";
import type { PdfLimits } from "./readers/pdf/limits.ts";

export type PdfFiles = ReturnType<typeof createPdfFiles>;

/** A PDF's header may stand behind some junk. */
const HEADER_BYTES = 1024;

/** The copies in the workspace: documents/<sha256>.pdf, there whole or not at all. */
export function createPdfFiles(workspaceDir: string, limits: PdfLimits) {
  const dir = join(workspaceDir, "documents");
  const pathOf = (sha256: string) => join(dir, `${sha256}.pdf`);
  let nCopies = 0;

  return {
    pathOf,
    /** Size and SHA-256 of a file that may be taken in. Errors: IMPORT_UNSUPPORTED, IMPORT_UNREADABLE. */
    async inspect(path: string, signal: AbortSignal): Promise<{ sizeBytes: number; sha256: string }> {
      try {
        const sizeBytes = await checkFile(path, limits);
        return { sizeBytes, sha256: await sha256OfFile(path, signal) };
      } catch (error) {
        throw isAppError(error) || signal.aborted ? error : unreadable(error);
      }
    },
    /** Copies the file in, unless it is there already. What is copied is what was hashed, or it is not kept. */
    async store(path: string, sha256: string, signal: AbortSignal): Promise<void> {
      if (existsSync(pathOf(sha256))) return;
      await mkdir(dir, { recursive: true });
      const temporary = join(dir, `.import-${process.pid}-${nCopies++}.tmp`);
      try {
        const copied = await copyAndHash(path, temporary, signal);
        if (copied !== sha256)
          throw new AppError("IMPORT_UNREADABLE", "It changed while it was read", { hint: "Import it again." });
        await rename(temporary, pathOf(sha256));
      } finally {
        await rm(temporary, { force: true });
      }
    },
    remove: (sha256: string): Promise<void> => rm(pathOf(sha256), { force: true }),
    /** What a killed process left half copied. To be called while no import runs. */
    async removeLeftovers(): Promise<void> {
      const names = await readdir(dir).catch((): string[] => []);
      for (const name of names) if (/^\.import-.*\.tmp$/.test(name)) await rm(join(dir, name), { force: true });
    },
  };
}

async function checkFile(path: string, limits: PdfLimits): Promise<number> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size === 0)
      throw new AppError("IMPORT_UNREADABLE", "The file is empty", { hint: "Download or export it again." });
    const header = Buffer.alloc(HEADER_BYTES);
    const { bytesRead } = await file.read(header, 0, HEADER_BYTES, 0);
    if (!header.subarray(0, bytesRead).includes("%PDF-")) {
      throw new AppError("IMPORT_UNSUPPORTED", "It is not a PDF", { hint: "Only PDF files can be imported." });
    }
    if (size > limits.maxSizeBytes) {
      const limitMb = Math.round(limits.maxSizeBytes / 2 ** 20);
      throw new AppError("IMPORT_UNREADABLE", `It is larger than ${limitMb} MB`, {
        hint: "Split it and import the parts.",
      });
    }
    return size;
  } finally {
    await file.close();
  }
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
