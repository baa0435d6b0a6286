/**
 * [Note: document formats] The formats that documents may have, for all who choose, drop, send or read files. The engine
 * has a reader for each (main/engine/corpus/readers) and keeps the media type in the document's row; behind the reader
 * everybody knows pages of text only.
 */
export const DOCUMENT_FORMATS = {
  pdf: { name: "PDF", mediaType: "application/pdf", extensions: ["pdf"] },
} as const satisfies Record<string, DocumentFormat>;

/** The first extension is that of the workspace's own copies. */
export type DocumentFormat = { name: string; mediaType: string; extensions: readonly [string, ...string[]] };
export type FormatName = keyof typeof DOCUMENT_FORMATS;

/** By its media type where the system knows it, else by its name. */
export function isDocument(file: { name: string; type?: string }): boolean {
  return Object.values(DOCUMENT_FORMATS).some(
    ({ mediaType, extensions }) =>
      file.type === mediaType || extensions.some((extension) => file.name.toLowerCase().endsWith(`.${extension}`)),
  );
}
