import type { PageQuality, Rect } from "../../../shared/contract/corpus.ts";
import type { DocumentFormat } from "../../../shared/document-formats.ts";

export type ReadPage = { text: string; quality: PageQuality };
export type ReadDocument = { title: string | null; pages: ReadPage[] };
export type PagePlace = { widthPt: number; heightPt: number; rects: Rect[] };

/** One format of documents, see [Note: document formats]. */
export type Reader = {
  format: DocumentFormat;
  /** Larger files are not taken in. */
  maxSizeBytes: number;
  /** Whether a file that begins with these bytes is of this format, whatever it is called. */
  recognises(head: Buffer): boolean;
  /** Title and pages of the copy in the workspace. Errors: IMPORT_UNSUPPORTED, IMPORT_UNREADABLE. */
  read(path: string, signal: AbortSignal): Promise<ReadDocument>;
  /** Where a span of a page's stored text stands on the page; absent where the format has no page to look at. */
  locate?(
    path: string,
    span: { page: number; text: string; start: number; end: number },
    signal: AbortSignal,
  ): Promise<PagePlace>;
};
