import type { WordPart } from "../../../main/shared/word-parts.ts";
import type { DiffRow } from "../../lib/diff-rows.ts";
import classes from "./DiffPanel.module.css";

export function BeforeText({ row }: { row: DiffRow }) {
  if (row.kind === "added") return null;
  if (row.kind === "removed")
    return (
      <>
        <del>{row.before.text}</del>
        {row.movedTo !== null && <Moved />}
      </>
    );
  if (row.kind === "changed") return <Parts parts={row.parts.filter(({ kind }) => kind !== "added")} />;
  return <span className={classes.same}>{row.before.text}</span>;
}

export function AfterText({ row }: { row: DiffRow }) {
  if (row.kind === "removed") return null;
  if (row.kind === "added")
    return (
      <>
        <ins>{row.after.text}</ins>
        {row.movedFrom !== null && <Moved />}
      </>
    );
  if (row.kind === "changed") return <Parts parts={row.parts.filter(({ kind }) => kind !== "removed")} />;
  return <span className={classes.same}>{row.after.text}</span>;
}

/** Both versions in one sentence. */
export function MergedText({ row }: { row: DiffRow }) {
  if (row.kind === "changed") return <Parts parts={row.parts} />;
  return row.kind === "removed" ? <BeforeText row={row} /> : <AfterText row={row} />;
}

function Parts({ parts }: { parts: WordPart[] }) {
  return parts.map(({ text, kind }, i) => {
    if (kind === "same") return <span key={i}>{text}</span>;
    return kind === "added" ? <ins key={i}>{text}</ins> : <del key={i}>{text}</del>;
  });
}

/** Said in words, because a sentence that stands elsewhere in the other version is neither gone nor new. */
function Moved() {
  return <span className="dim small"> moved</span>;
}
