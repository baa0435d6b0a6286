import { IconArrowBackUp, IconCheck } from "@tabler/icons-react";
import type { CritiquePoint } from "../../../main/shared/contract/reflection.ts";
import { plural } from "../../lib/format.ts";
import classes from "./DiffPanel.module.css";
import type { CritiqueLayout } from "./use-critique-layout.ts";

export type CritiqueColumnProps = {
  critique: CritiquePoint[];
  layout: CritiqueLayout;
  active: number | null;
  onActive(ordinal: number | null): void;
};

/** The points of a critique, each as near as it can be to the first sentence that it changed, with a line to every one. */
export function CritiqueColumn({ critique, layout, active, onActive }: CritiqueColumnProps) {
  return (
    <>
      <div className={classes.critique} data-critique-column>
        {critique.map(({ ordinal, point, actedOn, changedSentences }, i) => (
          <div
            key={ordinal}
            className={classes.point}
            data-point={ordinal}
            data-active={active === ordinal}
            style={{ transform: `translateY(${layout.places[i]?.topPx ?? 0}px)` }}
            onPointerEnter={() => onActive(ordinal)}
            onPointerLeave={() => onActive(null)}
          >
            <span className={`${classes.ordinal} num`}>{i + 1}</span>
            <div>
              {point}
              <div className={classes.verdict} data-acted={actedOn}>
                {actedOn ? <IconCheck size={13} aria-hidden /> : <IconArrowBackUp size={13} aria-hidden />}
                {verdictOf(actedOn, changedSentences.length)}
              </div>
            </div>
          </div>
        ))}
      </div>
      <svg className={classes.lines} aria-hidden>
        {layout.lines.map(({ ordinal, path }) => (
          <path key={path} d={path} data-active={active === ordinal} />
        ))}
      </svg>
    </>
  );
}

/** A point may have been acted on by taking something out: then no sentence shows it. */
function verdictOf(isActedOn: boolean, nSentences: number): string {
  if (!isActedOn) return "not acted on";
  return nSentences === 0 ? "acted on: taken out" : `acted on in ${plural(nSentences, "sentence")}`;
}
