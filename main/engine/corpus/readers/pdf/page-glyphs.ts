import type { PdfReader } from "./pdf-reader.ts";
import type { PageGlyphs } from "./worker-protocol.ts";

const MAX_PAGES_KEPT = 16;

/** The glyphs of the pages that were looked at last: a reader steps from hit to hit on one page. */
export function createPageGlyphs(reader: PdfReader) {
  const kept = new Map<string, Promise<PageGlyphs>>();
  return (pdfPath: string, page: number, text: string, signal: AbortSignal): Promise<PageGlyphs> => {
    const key = `${pdfPath} ${page}`;
    const known = kept.get(key);
    const glyphs = known ?? reader.readGlyphs(pdfPath, page, text, signal);
    kept.delete(key);
    kept.set(key, glyphs);
    glyphs.catch(() => kept.delete(key));
    if (kept.size > MAX_PAGES_KEPT) kept.delete(kept.keys().next().value!);
    return glyphs;
  };
}
