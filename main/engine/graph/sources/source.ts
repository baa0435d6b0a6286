import type { StatementSpan } from "../../../shared/contract/preference.ts";
import type { Extraction } from "../rules/extract.ts";

/**
 * What a source tells the graph. `spans[i]` is what statement i of the extraction rests on: nothing where it is a
 * model's own reasoning, null where nobody knows.
 */
export type GraphSource = {
  source: { kind: "pair"; id: string; round: number };
  spans: (StatementSpan[] | null)[];
  extraction: Extraction;
};
