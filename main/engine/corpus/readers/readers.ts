import { DOCUMENT_FORMATS, type FormatName } from "../../../shared/document-formats.ts";
import { createPdfFormat } from "./pdf/pdf-format.ts";
import type { PdfLimits } from "./pdf/limits.ts";
import type { Reader } from "./reader.ts";

export type ReaderDeps = { pdfWorkerPath: string; limits: PdfLimits };

/** The readers, one a format; a file is read by the first that recognises it. */
const CREATE: Record<FormatName, (deps: ReaderDeps) => Reader> = {
  pdf: createPdfFormat,
};

export type Readers = ReturnType<typeof createReaders>;

export function createReaders(deps: ReaderDeps) {
  const readers = Object.keys(DOCUMENT_FORMATS).map((name) => CREATE[name as FormatName](deps));
  return {
    recognise: (head: Buffer): Reader | undefined => readers.find((reader) => reader.recognises(head)),
    /** The reader of a document that was taken in. */
    of({ mediaType }: { mediaType: string }): Reader {
      const reader = readers.find(({ format }) => format.mediaType === mediaType);
      if (!reader) throw new Error(`no reader for documents of type ${mediaType}`);
      return reader;
    },
  };
}
