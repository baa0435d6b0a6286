import { IconArrowBackUp, IconCheck } from "@tabler/icons-react";
import { type RefObject, useLayoutEffect, useState } from "react";
import type { CritiquePoint } from "../../../main/shared/contract/reflection.ts";
import { plural } from "../../lib/format.ts";
import { type CardPlace, placeCards } from "../../lib/place-cards.ts";
import classes from "./DiffPanel.module.css";

export type CritiqueColumnProps = {
  grid: RefObject<HTMLDivElement | null>;
  critique: CritiquePoint[];
  nRows: number;
  /** Changes whenever the rows beside the column are laid out anew. */
  layoutKey: unknown;
  active: number | null;
  onActive(ordinal: number | null): void;
};

type Line = { ordinal: number; path: string };
type Layout = { places: CardPlace[]; heightPx: number; lines: Line[] };

const NOTHING: Layout = { places: [], heightPx: 0, lines: [] };

/** The points of a critique, each as near as it can be to the first sentence that it changed, with a line to every one. */
export function CritiqueColumn({ grid, critique, nRows, layoutKey, active, onActive }: CritiqueColumnProps) {
  const [layout, setLayout] = useState<Layout>(NOTHING);
  useLayoutEffect(() => {
    const element = grid.current;
    if (!element) return;
    const update = () => setLayout(measure(element, critique));
    const observer = new ResizeObserver(update);
    observer.observe(element);
    update();
    return () => observer.disconnect();
  }, [grid, critique, layoutKey]);
  return (
    <>
      <div className={classes.critique} style={{ gridRow: `2 / span ${Math.max(1, nRows)}`, minHeight: layout.heightPx }}>
        {critique.map(({ ordinal, point, actedOn, changedSentences }, i) => (
          <div
            key={ordinal}
            className={classes.point}
            data-point={ordinal}
            data-active={active === ordinal}
            style={{ transform: `translateY(${layout.places[i]?.topPx ?? 0}px)` }}
            onPointerEnter={() => onActive(ordinal)}
            onPointerLeave={() => onActive(null)}
          >
            <span className={`${classes.ordinal} num`}>{i + 1}</span>
            <div>
              {point}
              <div className={classes.verdict} data-acted={actedOn}>
                {actedOn ? <IconCheck size={13} aria-hidden /> : <IconArrowBackUp size={13} aria-hidden />}
                {actedOn ? `acted on in ${plural(changedSentences.length, "sentence")}` : "not acted on"}
              </div>
            </div>
          </div>
        ))}
      </div>
      <svg className={classes.lines} aria-hidden>
        {layout.lines.map(({ ordinal, path }) => (
          <path key={path} d={path} data-active={active === ordinal} />
        ))}
      </svg>
    </>
  );
}

/** Where the sentences stand decides where the cards go; where both stand decides the lines. All relative to the grid. */
function measure(grid: HTMLElement, critique: CritiquePoint[]): Layout {
  const origin = grid.getBoundingClientRect();
  const column = grid.querySelector<HTMLElement>(`.${classes.critique}`);
  if (!column) return NOTHING;
  const columnTop = column.getBoundingClientRect().top - origin.top;
  const cellOf = (sentence: number) => grid.querySelector<HTMLElement>(`[data-sentence="${sentence}"]`)?.getBoundingClientRect();
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
    return cells.map((cell) => ({ ordinal, path: curve(right, from, cell.left - origin.left, cell.top - origin.top + 12) }));
  });
  const heightPx = Math.max(0, ...places.map(({ topPx }, i) => topPx + cards[i]!.heightPx));
  return { places, heightPx, lines };
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (x1 + x2) / 2;
  return `M${x1},${y1} C${middle},${y1} ${middle},${y2} ${x2},${y2}`;
}
