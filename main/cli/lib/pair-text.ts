import type { PairProvenance, PairRow, Statement } from "../../shared/contract/preference.ts";
import { filterReasons } from "../../shared/filter-reasons.ts";
import { shorten } from "./output.ts";

type Pair = PairRow & { provenance: PairProvenance };

/** A pair for reading: every statement of the thinking with the words of the papers that it rests on, or that none are. */
export function pairText(pair: Pair): string {
  const { provenance, filterReason } = pair;
  const reason = filterReasons[filterReason as keyof typeof filterReasons] ?? filterReason;
  return [
    pair.question || "(no question)",
    `${pair.stage}, round ${pair.round + 1}, ${filterReason === null ? pair.status : `filtered: ${reason}`}`,
    "",
    ...pair.thinking.flatMap(({ name, statements }) => [
      `${name}:`,
      ...statements.flatMap((statement) => [
        `  - ${statement.text}`,
        ...restsOn(statement, pair.sources).map((line) => `      ${line}`),
      ]),
    ]),
    "",
    "Chosen:",
    pair.chosen || "(none)",
    "",
    "Rejected:",
    pair.rejected || "(none)",
    "",
    `Made by ${provenance.teacher} (prompts ${provenance.promptSet || "unknown"}), rejected by ${provenance.policy}; seed ${provenance.seed}, ${provenance.threads} threads`,
    "Everything else that is kept of it: --json",
  ].join("\n");
}

/** A line for each sentence of the papers, or one that says that there is none. */
export function restsOn({ spans }: Statement, sources: PairRow["sources"]): string[] {
  if (spans === null) return ["source not known"];
  if (spans.length === 0) return ["the model’s own inference"];
  return spans.map(({ documentId, page, quote }) => {
    const title = sources.find((source) => source.documentId === documentId)?.title;
    return `${title ? `${shorten(title, 60)}, ` : ""}p. ${page}: “${shorten(quote, 400)}”`;
  });
}
