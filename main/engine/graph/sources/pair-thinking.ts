import type { PairRow } from "../../../shared/contract/preference.ts";
import { extract } from "../rules/extract.ts";
import type { GraphSource } from "./source.ts";

/** What the graph reads of a pair. */
export type GraphPair = Pick<PairRow, "id" | "round" | "thinking">;

/** METHOD §6 (a): the structured thinking of a generated pair. */
export function readPairThinking({ id, round, thinking }: GraphPair): GraphSource {
  const statements = thinking.flatMap(({ name, statements }) =>
    statements.map(({ text, spans }) => ({ section: name, text, spans })),
  );
  return {
    source: { kind: "pair", id, round },
    spans: statements.map(({ spans }) => spans),
    extraction: extract(statements),
  };
}
