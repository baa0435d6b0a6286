import { expect, it } from "vitest";
import type { EvidenceRow } from "../../main/shared/contract/graph.ts";
import { byBasis } from "../../renderer/lib/evidence.ts";

const row = (sentence: string, basis: EvidenceRow["basis"]) => ({ sentence, basis }) as EvidenceRow;
const rows = [row("a", "model"), row("b", "papers"), row("c", "unknown"), row("d", "papers")];
const said = (limit?: number) => byBasis(rows, limit).map(({ title, rows }) => [title, rows.map((r) => r.sentence)]);

it("keeps the papers apart from the model's reasoning, and puts them first", () => {
  expect(said()).toEqual([
    ["In the papers", ["b", "d"]],
    ["Model’s reasoning", ["a"]],
    ["Source not known", ["c"]],
  ]);
});

it("shows the papers before all else where there is room for few", () => {
  expect(said(2)).toEqual([["In the papers", ["b", "d"]]]);
  expect(said(3)).toEqual([
    ["In the papers", ["b", "d"]],
    ["Model’s reasoning", ["a"]],
  ]);
});
