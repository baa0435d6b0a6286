import { isLineBreak, textOf } from "./characters.ts";
import { leftOf, type Line, linePitch, rightOf } from "./lines.ts";
import type { RawPage } from "./raw-page.ts";

/** What stands between two lines in the page's text: nothing, a space, or a new paragraph. */
export type Separator = "" | " " | "\n";

const ENDS_SENTENCE = /[.!?:]["'”’)\]]*$/;
const STARTS_SMALL = /^[("'“‘[]?\p{Ll}/u;
const STARTS_LARGE = /^[("'“‘[]?[\p{Lu}\p{N}]/u;
const BULLET = /^[•◦▪●■–∙]\s/u;

/** One separator per line: the one that stands after it. The last line has "". */
export function separatorsOf(lines: readonly Line[], page: RawPage): Separator[] {
  const pitch = linePitch(lines) ?? Infinity;
  return lines.map((line, i) => {
    const next = lines[i + 1];
    if (!next) return "";
    if (isSameRow(line, next, page)) return rowGap(line, next, page);
    if (isNewParagraph(line, next, pitch, columnRight(lines, i))) return "\n";
    return /\S[-‐–/]$/u.test(line.text) ? "" : " ";
  });
}

/** PDFium breaks a line at a superscript. The rest of it goes on at the same height, right after the last character. */
function isSameRow(line: Line, next: Line, page: RawPage): boolean {
  const overlap = Math.min(line.top, next.top) - Math.max(line.bottom, next.bottom);
  const gap = leftOf(page, next.from) - rightOf(page, line.to - 1);
  const size = Math.max(line.size, next.size);
  return overlap > 0.2 * Math.min(line.top - line.bottom, next.top - next.bottom) && gap > -0.5 * size && gap < size;
}

function rowGap(line: Line, next: Line, page: RawPage): Separator {
  const between = page.codes.subarray(line.to, next.from);
  if (between.some((code) => !isLineBreak(code) && textOf(code) === " ")) return " ";
  const gap = leftOf(page, next.from) - rightOf(page, line.to - 1);
  return gap > 0.15 * Math.max(line.size, next.size) ? " " : "";
}

function isNewParagraph(line: Line, next: Line, pitch: number, right: number): boolean {
  const isSameSize = Math.abs(line.size - next.size) <= 0.12 * Math.max(line.size, next.size);
  const endsSentence = ENDS_SENTENCE.test(line.text);
  // a sentence goes on over a column break, a figure or a formula
  if (isSameSize && !endsSentence && STARTS_SMALL.test(next.text)) return false;
  if (isSameSize && line.hyphenAt !== null) return false;
  if (!isSameSize || BULLET.test(next.text)) return true;
  const step = line.top - next.top;
  const isNextBlock = step <= 0 || next.left > line.right || next.right < line.left;
  if (isNextBlock || step > 1.35 * pitch) return true;
  if (endsSentence && Math.abs(next.left - line.left) > 0.6 * line.size) return true;
  const isShort = line.right < right - 3 * line.size;
  return isShort && (endsSentence || STARTS_LARGE.test(next.text));
}

/** The right edge of the column around a line, told from its neighbours of about the same left edge. */
function columnRight(lines: readonly Line[], at: number): number {
  const line = lines[at]!;
  const neighbours = lines.slice(Math.max(0, at - 3), at + 4);
  const inColumn = neighbours.filter((other) => Math.abs(other.left - line.left) < 3 * line.size);
  return Math.max(...inColumn.map((other) => other.right));
}
