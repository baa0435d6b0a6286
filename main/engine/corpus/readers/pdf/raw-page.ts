import type { WrappedPdfiumModule } from "@embedpdf/pdfium";

/** A page as PDFium gives it: characters in the order of the content stream, boxes in points with y upwards. */
export type RawPage = {
  /** Unicode code per character index. PDFium puts CR LF between lines and U+0002 for a hyphen that ends a line. */
  codes: Uint32Array;
  /** left, top, right, bottom per character: advance width and the font's own height, so that a line has one height. */
  boxes: Float32Array;
  bounds: { left: number; top: number; right: number; bottom: number };
};

export const EMPTY_PAGE: RawPage = {
  codes: new Uint32Array(0),
  boxes: new Float32Array(0),
  bounds: { left: 0, top: 0, right: 0, bottom: 0 },
};

/** A page that PDFium cannot load is empty: one broken page does not cost the paper. */
export function readRawPage(pdfium: WrappedPdfiumModule, document: number, pageIndex: number): RawPage {
  const page = pdfium.FPDF_LoadPage(document, pageIndex);
  if (page === 0) return EMPTY_PAGE;
  const textPage = pdfium.FPDFText_LoadPage(page);
  const rect = pdfium.pdfium.wasmExports.malloc(16);
  try {
    pdfium.FPDF_GetPageBoundingBox(page, rect);
    const [left, top, right, bottom] = readRect(pdfium, rect);
    return { ...readCharacters(pdfium, textPage, rect), bounds: { left, top, right, bottom } };
  } finally {
    pdfium.pdfium.wasmExports.free(rect);
    pdfium.FPDFText_ClosePage(textPage);
    pdfium.FPDF_ClosePage(page);
  }
}

type CharacterFunctions = {
  FPDFText_GetUnicode(textPage: number, index: number): number;
  FPDFText_GetLooseCharBox(textPage: number, index: number, rect: number): number;
};

function readCharacters(pdfium: WrappedPdfiumModule, textPage: number, rect: number): Pick<RawPage, "codes" | "boxes"> {
  const nChars = Math.max(0, textPage === 0 ? 0 : pdfium.FPDFText_CountChars(textPage));
  const codes = new Uint32Array(nChars);
  const boxes = new Float32Array(4 * nChars);
  // the exports themselves: the package's wrappers look their function up at every call, here twice a character
  const exports = pdfium.pdfium.wasmExports as unknown as CharacterFunctions;
  for (let i = 0; i < nChars; i++) {
    codes[i] = exports.FPDFText_GetUnicode(textPage, i);
    if (exports.FPDFText_GetLooseCharBox(textPage, i, rect) !== 0) boxes.set(readRect(pdfium, rect), 4 * i);
  }
  return { codes, boxes };
}

/** FS_RECTF: left, top, right, bottom. The heap's views are replaced when the memory grows, so they are never kept. */
function readRect(pdfium: WrappedPdfiumModule, pointer: number): [number, number, number, number] {
  const heap = heapOf(pdfium).HEAPF32;
  const at = pointer >> 2;
  return [heap[at]!, heap[at + 1]!, heap[at + 2]!, heap[at + 3]!];
}

/** Emscripten's views of the memory, which the package's types leave out. */
export function heapOf(pdfium: WrappedPdfiumModule): { HEAPU8: Uint8Array; HEAPF32: Float32Array } {
  return pdfium.pdfium as unknown as { HEAPU8: Uint8Array; HEAPF32: Float32Array };
}
