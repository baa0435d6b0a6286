import type { PageQuality } from "../../../../shared/contract/corpus.ts";
import type { SerializedError } from "../../../../shared/errors.ts";
import type { PdfLimits } from "./limits.ts";

/** What the engine gives a worker at its start. One worker reads one document, says one thing and ends. */
export type PdfRequest = { wasmModule: WebAssembly.Module; path: string; limits: PdfLimits } & (
  | { kind: "read" }
  | { kind: "glyphs"; page: number; text: string }
);

export type PdfText = { title: string | null; pages: { text: string; quality: PageQuality }[] };

/** Where each UTF-16 unit of a page's text stands on the page. */
export type PageGlyphs = {
  widthPt: number;
  heightPt: number;
  /** left, top, right, bottom per unit, in points from the top left corner, y downwards; zero where nothing is drawn. */
  boxes: Float32Array;
  /** The line of the unit, counted from 0; -1 where nothing is drawn. */
  lines: Int32Array;
};

export type PdfResponse =
  | { kind: "text"; text: PdfText }
  | { kind: "glyphs"; glyphs: PageGlyphs }
  | { kind: "failed"; error: SerializedError };
