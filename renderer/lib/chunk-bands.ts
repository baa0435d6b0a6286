import type { Rect } from "../../main/shared/contract/corpus.ts";

/** The left edge of one run of lines: where a chunk stands in one column of a page. */
export type Band = { left: number; top: number; bottom: number };

/**
 * Lines in reading order → one band per column. A line that stands higher than the last one, or does not share any
 * width with the column so far, begins the next column.
 */
export function bandsOfRects(rects: readonly Rect[]): Band[] {
  const columns: { left: number; right: number; top: number; bottom: number; lastTop: number }[] = [];
  for (const { left, top, width, height } of rects) {
    const right = left + width;
    const column = columns.at(-1);
    const isSameColumn = column && top >= column.lastTop - height / 2 && left < column.right && right > column.left;
    if (!isSameColumn) {
      columns.push({ left, right, top, bottom: top + height, lastTop: top });
      continue;
    }
    column.left = Math.min(column.left, left);
    column.right = Math.max(column.right, right);
    column.top = Math.min(column.top, top);
    column.bottom = Math.max(column.bottom, top + height);
    column.lastTop = top;
  }
  return columns.map(({ left, top, bottom }) => ({ left, top, bottom }));
}
