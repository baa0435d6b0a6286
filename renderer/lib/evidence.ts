import type { EvidenceRow } from "../../main/shared/contract/graph.ts";

export type EvidenceGroup = { basis: EvidenceRow["basis"]; title: string; rows: EvidenceRow[] };

const TITLES: [EvidenceRow["basis"], string][] = [
  ["papers", "In the papers"],
  ["model", "Model’s reasoning"],
  ["unknown", "Source not known"],
];

/** The papers first; of more rows than `limit`, the first ones in that order. */
export function byBasis(rows: readonly EvidenceRow[], limit = Infinity): EvidenceGroup[] {
  let nLeft = limit;
  return TITLES.flatMap(([basis, title]) => {
    const group = rows.filter((row) => row.basis === basis).slice(0, nLeft);
    nLeft -= group.length;
    return group.length === 0 ? [] : [{ basis, title, rows: group }];
  });
}
