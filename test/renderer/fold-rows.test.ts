import { describe, expect, it } from "vitest";
import type { DiffRow } from "../../renderer/lib/diff-rows.ts";
import { foldRows } from "../../renderer/lib/fold-rows.ts";

const sentence = (index: number) => ({ index, text: `Sentence ${index}.`, startsParagraph: false });
const rows = (pattern: string): DiffRow[] =>
  pattern
    .split("")
    .map((sign, i) =>
      sign === "="
        ? { kind: "same", before: sentence(i), after: sentence(i) }
        : { kind: "added", after: sentence(i), movedFrom: null },
    );
const shape = (pattern: string) =>
  foldRows(rows(pattern))
    .map((row) => (row.kind === "fold" ? `(${row.rows.length})` : row.kind === "same" ? "=" : "+"))
    .join("");

describe("foldRows", () => {
  it("keeps a neighbour on each side of a change and folds the rest", () => {
    expect(shape("+======+")).toBe("+=(4)=+");
  });
  it("leaves short runs open: a fold of two hides more than it saves", () => {
    expect(shape("+====+")).toBe("+====+");
  });
  it("keeps no context where the text begins or ends", () => {
    expect(shape("=====+=====")).toBe("(4)=+=(4)");
  });
  it("loses no row", () => {
    const all = foldRows(rows("=====+==+=========")).flatMap((row) => (row.kind === "fold" ? row.rows : [row]));
    expect(all).toEqual(rows("=====+==+========="));
  });
});
