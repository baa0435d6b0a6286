import type { EvidenceRow } from "../../../main/shared/contract/graph.ts";
import { MarkedText } from "../../components/MarkedText.tsx";
import { SourceChip } from "../../components/SourceChip.tsx";
import { byBasis } from "../../lib/evidence.ts";
import { rangesOfWords } from "../../lib/graph-view.ts";
import classes from "./Graph.module.css";

export type EvidenceListProps = { rows: EvidenceRow[]; words: string[]; limit?: number };

/** What the papers say stands apart from what a model reasoned, always. */
export function EvidenceList({ rows, words, limit = Infinity }: EvidenceListProps) {
  if (rows.length === 0) return <div className={`${classes.section} dim`}>No evidence is kept.</div>;
  return byBasis(rows, limit).map(({ basis, title, rows: group }) => (
    <section key={basis} aria-label={title}>
      <h3 className={classes.basis}>{title}</h3>
      <ul className={classes.evidence}>
        {group.map((row, i) => (
          <li key={`${row.sourceId}/${i}`}>
            {row.quote === null ? (
              <Reasoned row={row} words={words} />
            ) : (
              <Quoted row={row} quote={row.quote} words={words} />
            )}
          </li>
        ))}
      </ul>
    </section>
  ));
}

/** The page's own words, one click from their place. */
function Quoted({ row, quote, words }: { row: EvidenceRow; quote: string; words: string[] }) {
  return (
    <>
      <q className={classes.quote}>
        <MarkedText text={quote} ranges={rangesOfWords(quote, words)} />
      </q>
      <div className={classes.evidenceSource}>
        {row.documentId && row.page !== null && (
          <SourceChip
            documentId={row.documentId}
            title={row.title ?? "Document"}
            page={row.page}
            {...(row.start !== null && row.end !== null ? { span: { start: row.start, end: row.end } } : {})}
          />
        )}
        <Origin row={row} />
      </div>
      {row.sentence !== quote && <div className="dim small">As the thinking puts it: {row.sentence}</div>}
    </>
  );
}

function Reasoned({ row, words }: { row: EvidenceRow; words: string[] }) {
  return (
    <>
      <div>
        <MarkedText text={row.sentence} ranges={rangesOfWords(row.sentence, words)} />
      </div>
      <div className={classes.evidenceSource}>
        <Origin row={row} />
      </div>
    </>
  );
}

function Origin({ row }: { row: EvidenceRow }) {
  return (
    <span className="dim small num">
      {[row.sourceKind, row.section, `round ${row.round}`].filter(Boolean).join(" · ")}
    </span>
  );
}
