import { useMemo, useState } from "react";
import type { DiffRow } from "../../lib/diff-rows.ts";
import { foldRows, type FoldedRow } from "../../lib/fold-rows.ts";

/** Rows with long unchanged runs folded, and the way to open one of them. */
export function useFolds(rows: DiffRow[], isFolding: boolean) {
  const [opened, setOpened] = useState<ReadonlySet<DiffRow>>(new Set());
  const shown = useMemo(
    () =>
      isFolding
        ? foldRows(rows).flatMap((row): FoldedRow[] =>
            row.kind === "fold" && opened.has(row.rows[0]!) ? row.rows : [row],
          )
        : rows,
    [rows, isFolding, opened],
  );
  const open = (fold: Extract<FoldedRow, { kind: "fold" }>) => setOpened(new Set([...opened, fold.rows[0]!]));
  return { shown, open };
}
