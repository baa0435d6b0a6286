import type { EvidenceRow } from "../../../main/shared/contract/graph.ts";
import { MarkedText } from "../../components/MarkedText.tsx";
import { SourceChip } from "../../components/SourceChip.tsx";
import { rangesOfWords } from "../../lib/graph-view.ts";
import classes from "./Graph.module.css";

export function EvidenceList({ rows, words }: { rows: EvidenceRow[]; words: string[] }) {
  if (rows.length === 0) return <div className={`${classes.section} dim`}>No evidence is kept.</div>;
  return (
    <ul className={classes.evidence}>
      {rows.map((row, i) => (
        <li key={`${row.sourceId}/${i}`}>
          <div>
            <MarkedText text={row.sentence} ranges={rangesOfWords(row.sentence, words)} />
          </div>
          <div className={classes.evidenceSource}>
            {row.documentId && row.page !== null && (
              <SourceChip
                documentId={row.documentId}
                title={row.title ?? "Document"}
                page={row.page}
                {...(row.start !== null && row.end !== null ? { span: { start: row.start, end: row.end } } : {})}
              />
            )}
            <span className="dim small num">
              {[row.sourceKind, row.section, `round ${row.round}`].filter(Boolean).join(" · ")}
            </span>
          </div>
        </li>
      ))}
    </ul>
  );
}
