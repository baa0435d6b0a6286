import type { DiffRow } from "./diff-rows.ts";

export type FoldedRow = DiffRow | { kind: "fold"; rows: DiffRow[] };

/** Long runs of unchanged sentences become one row that can be opened; a neighbour stays on each side for context. */
export function foldRows(rows: readonly DiffRow[], { context = 1, least = 3 } = {}): FoldedRow[] {
  const folded: FoldedRow[] = [];
  let run: DiffRow[] = [];
  const flush = (isLast: boolean) => {
    const head = folded.length === 0 ? 0 : context;
    const tail = isLast ? 0 : context;
    const middle = run.slice(head, run.length - tail);
    if (middle.length < least) folded.push(...run);
    else folded.push(...run.slice(0, head), { kind: "fold", rows: middle }, ...run.slice(run.length - tail));
    run = [];
  };
  for (const row of rows) {
    if (row.kind === "same") {
      run.push(row);
      continue;
    }
    flush(false);
    folded.push(row);
  }
  flush(true);
  return folded;
}
