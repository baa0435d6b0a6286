import { useLayoutEffect, useState } from "react";
import type { CritiquePoint } from "../../../main/shared/contract/reflection.ts";
import { type CardPlace, placeCards } from "../../lib/place-cards.ts";

export type CritiqueLayout = {
  places: CardPlace[];
  lines: { ordinal: number; path: string }[];
  /** How high the grid must be for the last card to fit. */
  minHeightPx: number;
};

const NOTHING: CritiqueLayout = { places: [], lines: [], minHeightPx: 0 };

/** Measures the grid of sentences and the column of cards whenever either is laid out anew (`rows` changes, or its size). */
export function useCritiqueLayout(grid: HTMLElement | null, critique: CritiquePoint[], rows: unknown): CritiqueLayout {
  const [layout, setLayout] = useState(NOTHING);
  useLayoutEffect(() => {
    if (!grid || critique.length === 0) return;
    const update = () => setLayout(measure(grid, critique));
    const observer = new ResizeObserver(update);
    observer.observe(grid);
    update();
    return () => observer.disconnect();
  }, [grid, critique, rows]);
  return layout;
}

/** Where the sentences stand decides where the cards go; where both stand decides the lines. All relative to the grid. */
function measure(grid: HTMLElement, critique: CritiquePoint[]): CritiqueLayout {
  const origin = grid.getBoundingClientRect();
  const column = grid.querySelector<HTMLElement>("[data-critique-column]");
  if (!column) return NOTHING;
  const columnTop = column.getBoundingClientRect().top - origin.top;
  const cellOf = (sentence: number) =>
    grid.querySelector<HTMLElement>(`[data-sentence="${sentence}"]`)?.getBoundingClientRect();
  const cards = critique.map(({ ordinal, changedSentences }) => {
    const card = column.querySelector<HTMLElement>(`[data-point="${ordinal}"]`);
    const cells = changedSentences.flatMap((sentence) => cellOf(sentence) ?? []);
    const firstTop = cells.length > 0 ? Math.min(...cells.map(({ top }) => top)) - origin.top - columnTop : null;
    return { ordinal, heightPx: card?.offsetHeight ?? 0, wantedTopPx: firstTop, cells };
  });
  const places = placeCards(cards);
  const right = column.getBoundingClientRect().right - origin.left;
  const lines = cards.flatMap(({ ordinal, cells }, i) => {
    const from = columnTop + places[i]!.topPx + 12;
    return cells.map((cell) => ({
      ordinal,
      path: curve(right, from, cell.left - origin.left, cell.top - origin.top + 12),
    }));
  });
  const minHeightPx = columnTop + Math.max(0, ...places.map(({ topPx }, i) => topPx + cards[i]!.heightPx));
  return { places, lines, minHeightPx };
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (x1 + x2) / 2;
  return `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`;
}
