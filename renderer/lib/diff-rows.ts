import { alignSentences, type AlignedRow } from "../../main/shared/align-sentences.ts";
import { wordParts, type WordPart } from "../../main/shared/word-parts.ts";

/** A row of the comparison; a changed sentence with its words. */
export type DiffRow =
  | Exclude<AlignedRow, { kind: "changed" }>
  | (Extract<AlignedRow, { kind: "changed" }> & { parts: WordPart[] });

export function diffRows(before: string, after: string): DiffRow[] {
  return alignSentences(before, after).map((row): DiffRow =>
    row.kind === "changed" ? { ...row, parts: wordParts(row.before.text, row.after.text) } : row,
  );
}
