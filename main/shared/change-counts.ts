import { alignSentences, type AlignedRow } from "./align-sentences.ts";

/** Sentences by what became of them. A moved one counts once, and not as removed and added. */
export type ChangeCounts = { same: number; changed: number; added: number; removed: number; moved: number };

export function countChanges(rows: readonly AlignedRow[]): ChangeCounts {
  const counts = { same: 0, changed: 0, added: 0, removed: 0, moved: 0 };
  for (const row of rows) {
    if (row.kind === "removed" && row.movedTo !== null) counts.moved++;
    else if (row.kind !== "added" || row.movedFrom === null) counts[row.kind]++;
  }
  return counts;
}

/** Share of the sentences that are not as they were, 0..1; 0 where there are none. */
export function changedShare({ same, ...others }: ChangeCounts): number {
  const nChanged = others.changed + others.added + others.removed + others.moved;
  return nChanged === 0 ? 0 : nChanged / (same + nChanged);
}

type Response = { thinking: string; answer: string };

/** What an iteration made of the one before, thinking and answer together: the number behind every "changed %" [Note: one aligner]. */
export function changesBetween(before: Response, after: Response): ChangeCounts {
  const thinking = countChanges(alignSentences(before.thinking, after.thinking));
  const answer = countChanges(alignSentences(before.answer, after.answer));
  return {
    same: thinking.same + answer.same,
    changed: thinking.changed + answer.changed,
    added: thinking.added + answer.added,
    removed: thinking.removed + answer.removed,
    moved: thinking.moved + answer.moved,
  };
}

/** "1 changed · 2 added · 5 unchanged"; nothing but the number of sentences where nothing changed. */
export function changesInWords(counts: ChangeCounts): string {
  const { same, changed, added, removed, moved } = counts;
  if (changedShare(counts) === 0) return `${same} ${same === 1 ? "sentence" : "sentences"}`;
  return [
    changed > 0 && `${changed} changed`,
    added > 0 && `${added} added`,
    removed > 0 && `${removed} removed`,
    moved > 0 && `${moved} moved`,
    `${same} unchanged`,
  ]
    .filter(Boolean)
    .join(" · ");
}
