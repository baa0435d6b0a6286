import { useState } from "react";
import type { CritiquePoint } from "../../../main/shared/contract/reflection.ts";
import type { DiffRow } from "../../lib/diff-rows.ts";
import { plural } from "../../lib/format.ts";
import type { FoldedRow } from "../../lib/fold-rows.ts";
import { CritiqueColumn } from "./CritiqueColumn.tsx";
import classes from "./DiffPanel.module.css";
import { AfterText, BeforeText } from "./SentenceText.tsx";
import { useCritiqueLayout } from "./use-critique-layout.ts";
import { useFolds } from "./use-folds.ts";

export type SideBySideDiffProps = {
  rows: DiffRow[];
  critique: CritiquePoint[];
  isFolding: boolean;
  beforeTitle: string;
  afterTitle: string;
};

/** Two versions in two columns, sentence beside sentence; between them what the critic said, tied to what came of it. */
export function SideBySideDiff({ rows, critique, isFolding, beforeTitle, afterTitle }: SideBySideDiffProps) {
  // in state and not in a ref: the column measures it, and a child's layout effect runs before a parent's ref is set
  const [grid, setGrid] = useState<HTMLDivElement | null>(null);
  const [activePoint, setActivePoint] = useState<number | null>(null);
  const { shown, open } = useFolds(rows, isFolding);
  const layout = useCritiqueLayout(grid, critique, shown);
  const hasCritique = critique.length > 0;
  const pointsOf = (row: FoldedRow) =>
    row.kind === "fold" || row.kind === "removed"
      ? []
      : critique.filter((point) => point.changedSentences.includes(row.after.index));
  return (
    <div className={classes.sides} data-critique={hasCritique} ref={setGrid} style={{ minHeight: layout.minHeightPx }}>
      <h3 className={classes.sideTitle} style={{ gridColumn: 1 }}>
        {beforeTitle}
      </h3>
      {hasCritique && (
        <h3 className={classes.sideTitle} style={{ gridColumn: 2, color: "var(--reflection)" }}>
          Critique
        </h3>
      )}
      <h3 className={classes.sideTitle} style={{ gridColumn: 3 }}>
        {afterTitle}
      </h3>
      {hasCritique && (
        <CritiqueColumn critique={critique} layout={layout} active={activePoint} onActive={setActivePoint} />
      )}
      {shown.map((row, i) => {
        const gridRow = i + 2;
        if (row.kind === "fold") {
          return (
            <button
              key={i}
              type="button"
              className={classes.fold}
              style={{ gridRow, gridColumn: hasCritique ? undefined : "1 / -1" }}
              onClick={() => open(row)}
            >
              {plural(row.rows.length, "unchanged sentence")}
            </button>
          );
        }
        const points = pointsOf(row);
        return [
          <div
            key={`${i}b`}
            className={classes.cell}
            data-kind={row.kind}
            data-paragraph={startsParagraph(row)}
            style={{ gridRow, gridColumn: 1 }}
          >
            <BeforeText row={row} />
          </div>,
          <div
            key={`${i}a`}
            className={classes.cell}
            data-kind={row.kind}
            data-paragraph={startsParagraph(row)}
            data-sentence={row.kind === "removed" ? undefined : row.after.index}
            data-linked={points.length > 0}
            data-active={points.some(({ ordinal }) => ordinal === activePoint)}
            style={{ gridRow, gridColumn: 3 }}
            onPointerEnter={() => setActivePoint(points[0]?.ordinal ?? null)}
            onPointerLeave={() => setActivePoint(null)}
          >
            <AfterText row={row} />
          </div>,
        ];
      })}
    </div>
  );
}

function startsParagraph(row: DiffRow): boolean {
  return row.kind === "removed" ? row.before.startsParagraph : row.after.startsParagraph;
}
