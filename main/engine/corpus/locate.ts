import type { Rect } from "../../shared/contract/corpus.ts";
import type { PageGlyphs } from "./pdf/worker-protocol.ts";

/** The rectangles of a span of a page's text, one a line, in the order of the text. None where the page shows nothing of it. */
export function rectsOf(glyphs: PageGlyphs, start: number, end: number): Rect[] {
  const byLine = new Map<number, { left: number; top: number; right: number; bottom: number }>();
  for (let i = start; i < end; i++) {
    const line = glyphs.lines[i]!;
    if (line < 0) continue;
    const [left, top, right, bottom] = glyphs.boxes.subarray(4 * i, 4 * i + 4) as unknown as [number, number, number, number];
    const known = byLine.get(line);
    byLine.set(line, {
      left: Math.min(left, known?.left ?? left),
      top: Math.min(top, known?.top ?? top),
      right: Math.max(right, known?.right ?? right),
      bottom: Math.max(bottom, known?.bottom ?? bottom),
    });
  }
  return [...byLine.values()].map(({ left, top, right, bottom }) => ({ left, top, width: right - left, height: bottom - top }));
}
