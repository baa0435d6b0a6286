import { DOCUMENT_FORMATS } from "../../../../shared/document-formats.ts";
import type { ReaderDeps } from "../readers.ts";
import type { Reader } from "../reader.ts";
import { createPageGlyphs } from "./page-glyphs.ts";
import { createPdfReader } from "./pdf-reader.ts";
import { rectsOf } from "./rects.ts";

export function createPdfFormat({ pdfWorkerPath, limits }: ReaderDeps): Reader {
  const reader = createPdfReader({ workerPath: pdfWorkerPath, limits });
  const glyphs = createPageGlyphs(reader);
  return {
    format: DOCUMENT_FORMATS.pdf,
    maxSizeBytes: limits.maxSizeBytes,
    // the header may stand behind some junk
    recognises: (head) => head.includes("%PDF-"),
    read: (path, signal) => reader.readText(path, signal),
    async locate(path, { page, text, start, end }, signal) {
      const found = await glyphs(path, page, text, signal);
      return { widthPt: found.widthPt, heightPt: found.heightPt, rects: rectsOf(found, start, end) };
    },
  };
}
