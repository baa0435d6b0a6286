import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import { conceptColours } from "../../lib/colours.ts";
import { plural } from "../../lib/format.ts";
import { hrefOf } from "../../lib/routes.ts";
import classes from "./Graph.module.css";
import type { GraphData } from "./GraphScreen.tsx";

const MOST_SHOWN = 40;

/** With nothing chosen: the concepts that most is said about, as a way in. */
export function Overview({ data }: { data: GraphData }) {
  const colours = conceptColours[useComputedColorScheme("light")];
  const top = useMemo(
    () => data.concepts.toSorted((a, b) => b.nEvidence - a.nEvidence).slice(0, MOST_SHOWN),
    [data.concepts],
  );
  return (
    <>
      <header className={classes.panelTitle}>
        <div>
          <h2>Most evidence</h2>
          <div className="dim small">Choose a concept or a relation to read what the papers say about it.</div>
        </div>
      </header>
      <ol className={classes.overview}>
        {top.map(({ id, label, type, nEvidence }) => (
          <li key={id}>
            <a href={hrefOf({ screen: "graph", focus: { kind: "concept", id } })}>
              <span className={classes.dot} style={{ background: colours[type] }} />
              <span className="clip">{label}</span>
              <span className="dim num" title={`${plural(nEvidence, "piece")} of evidence`}>
                {nEvidence}
              </span>
            </a>
          </li>
        ))}
      </ol>
    </>
  );
}
