import type { Rect } from "../../../../shared/contract/corpus.ts";
import type { PageGlyphs } from "./worker-protocol.ts";

type Box = { left: number; top: number; right: number; bottom: number };

/** The rectangles of a span of a page's text, one a line, in the order of the text. None where the page shows nothing of it. */
export function rectsOf(glyphs: PageGlyphs, start: number, end: number): Rect[] {
  const boxes: (Box & { line: number })[] = [];
  for (let i = start; i < end; i++) {
    const line = glyphs.lines[i]!;
    if (line < 0) continue;
    const [left, top, right, bottom] = glyphs.boxes.subarray(4 * i, 4 * i + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    const last = boxes.at(-1);
    if (last && (last.line === line || isSameRow(last, { left, top, right, bottom }))) {
      Object.assign(last, union(last, { left, top, right, bottom }), { line });
    } else boxes.push({ left, top, right, bottom, line });
  }
  return boxes.map(({ left, top, right, bottom }) => ({ left, top, width: right - left, height: bottom - top }));
}

/** PDFium ends a line at a superscript; to the eye it is one line as long as the next letter follows at once. */
function isSameRow(last: Box, next: Box): boolean {
  const height = Math.min(last.bottom - last.top, next.bottom - next.top);
  const overlap = Math.min(last.bottom, next.bottom) - Math.max(last.top, next.top);
  return overlap > 0.5 * height && next.left > last.left && next.left - last.right < height;
}

function union(a: Box, b: Box): Box {
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
