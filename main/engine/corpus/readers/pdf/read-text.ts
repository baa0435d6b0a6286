import { metadataTitle, type OpenPdf } from "./pdf-document.ts";
import { addWords, createVocabulary } from "./hyphens.ts";
import { textOf } from "./characters.ts";
import { linesOf } from "./lines.ts";
import { hyphensAsIn, hyphensByVocabulary, joinBrokenWords, layOutText, type MappedText } from "./page-text.ts";
import { pageQuality } from "./page-quality.ts";
import { type RawPage, readRawPage } from "./raw-page.ts";
import { findTitle } from "./title.ts";
import type { PageGlyphs, PdfText } from "./worker-protocol.ts";

/** The text of every page. Broken words are joined at the end, when all words of the paper are known. */
export function readText(pdf: OpenPdf): PdfText {
  const vocabulary = createVocabulary();
  const laidOut: MappedText[] = [];
  let title: string | null = null;
  for (let i = 0; i < pdf.nPages; i++) {
    const raw = readRawPage(pdf.pdfium, pdf.document, i);
    const lines = linesOf(raw);
    if (i === 0) title = findTitle(metadataTitle(pdf), lines);
    const page = layOutText(raw, lines);
    addWords(vocabulary, page.text);
    laidOut.push(page);
  }
  const rule = hyphensByVocabulary(vocabulary);
  const pages = laidOut.map((page) => {
    const { text } = joinBrokenWords(page, rule);
    return { text, quality: pageQuality(text) };
  });
  return { title, pages };
}

/** The boxes behind a page's text as it was stored; none at all when the page no longer gives that text, since a guess would mislead. */
export function readGlyphs(pdf: OpenPdf, page: number, text: string): PageGlyphs {
  const raw = readRawPage(pdf.pdfium, pdf.document, page - 1);
  const lines = linesOf(raw);
  const mapped = joinBrokenWords(layOutText(raw, lines), hyphensAsIn(text));
  if (mapped.text !== text) mapped.charIndex = new Int32Array(text.length).fill(-1);
  const lineOf = new Int32Array(raw.codes.length).fill(-1);
  lines.forEach((line, at) => lineOf.fill(at, line.from, Math.max(line.to, (line.hyphenAt ?? -1) + 1)));
  return glyphsOf(raw, mapped.charIndex, lineOf);
}

function glyphsOf(raw: RawPage, charIndex: Int32Array, lineOf: Int32Array): PageGlyphs {
  const { left, top, right, bottom } = raw.bounds;
  const boxes = new Float32Array(4 * charIndex.length);
  const lines = new Int32Array(charIndex.length).fill(-1);
  for (const [i, index] of charIndex.entries()) {
    if (index < 0 || textOf(raw.codes[index]!) === " ") continue;
    const [l, t, r, b] = raw.boxes.subarray(4 * index, 4 * index + 4) as unknown as [number, number, number, number];
    boxes.set([l - left, top - t, r - left, top - b], 4 * i);
    lines[i] = lineOf[index]!;
  }
  return { widthPt: right - left, heightPt: top - bottom, boxes, lines };
}
