import { IconArrowBackUp, IconCheck } from "@tabler/icons-react";
import type { CritiquePoint } from "../../../main/shared/contract/reflection.ts";
import type { DiffRow } from "../../lib/diff-rows.ts";
import { plural } from "../../lib/format.ts";
import classes from "./DiffPanel.module.css";
import { MergedText } from "./SentenceText.tsx";
import { useFolds } from "./use-folds.ts";

export type InlineDiffProps = { rows: DiffRow[]; critique: CritiquePoint[]; isFolding: boolean };

/** Both versions in one running text: what went, struck through; what came, underlined. */
export function InlineDiff({ rows, critique, isFolding }: InlineDiffProps) {
  const { shown, open } = useFolds(rows, isFolding);
  const isPlain = rows.every(({ kind }) => kind === "same");
  return (
    <div className={classes.inline}>
      <div className={classes.running} data-plain={isPlain}>
        {shown.map((row, i) => {
          if (row.kind === "fold") {
            return (
              <button key={i} type="button" className={classes.fold} onClick={() => open(row)}>
                {plural(row.rows.length, "unchanged sentence")}
              </button>
            );
          }
          const { startsParagraph } = row.kind === "removed" ? row.before : row.after;
          return (
            <span key={i} data-kind={row.kind}>
              {startsParagraph && i > 0 && <span className={classes.paragraph} />}
              <MergedText row={row} />{" "}
            </span>
          );
        })}
      </div>
      {critique.length > 0 && (
        <ol className={classes.points} aria-label="Critique">
          {critique.map(({ ordinal, point, actedOn }) => (
            <li key={ordinal}>
              {point}
              <div className={classes.verdict} data-acted={actedOn}>
                {actedOn ? <IconCheck size={13} aria-hidden /> : <IconArrowBackUp size={13} aria-hidden />}
                {actedOn ? "acted on" : "not acted on"}
              </div>
            </li>
          ))}
        </ol>
      )}
    </div>
  );
}
