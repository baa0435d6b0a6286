import type { AlignedRow, WordPart } from "../../lib/align-sentences.ts";
import classes from "./DiffPanel.module.css";

export function BeforeText({ row }: { row: AlignedRow }) {
  if (row.kind === "added") return null;
  if (row.kind === "removed") return <del>{row.before.text}</del>;
  return row.kind === "changed" ? <Parts parts={row.beforeParts} as="del" /> : <span className={classes.same}>{row.before.text}</span>;
}

export function AfterText({ row }: { row: AlignedRow }) {
  if (row.kind === "removed") return null;
  if (row.kind === "added") return <ins>{row.after.text}</ins>;
  return row.kind === "changed" ? <Parts parts={row.afterParts} as="ins" /> : <span className={classes.same}>{row.after.text}</span>;
}

function Parts({ parts, as: Mark }: { parts: WordPart[]; as: "ins" | "del" }) {
  return parts.map(({ text, isMarked }, i) => (isMarked ? <Mark key={i}>{text}</Mark> : <span key={i}>{text}</span>));
}
