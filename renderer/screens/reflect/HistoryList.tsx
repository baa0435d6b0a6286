import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import type { ReflectionRow } from "../../../main/shared/contract/reflection.ts";
import { JobStatusIcon } from "../../components/JobStatusIcon.tsx";
import { type Loadable, Loaded } from "../../components/Loaded.tsx";
import { RelativeTime } from "../../components/RelativeTime.tsx";
import { hrefOf } from "../../lib/routes.ts";
import classes from "./HistoryList.module.css";

const ROW_PX = 70;

export function HistoryList({
  reflections,
  openId,
}: {
  reflections: Loadable<ReflectionRow[]>;
  openId: string | undefined;
}) {
  return (
    <aside className={classes.aside} aria-label="Earlier questions">
      <Loaded query={reflections} what="The questions">
        {(rows) =>
          rows.length === 0 ? (
            <div className={classes.none}>Questions that you ask are kept here.</div>
          ) : (
            <Rows rows={rows} openId={openId} />
          )
        }
      </Loaded>
    </aside>
  );
}

function Rows({ rows, openId }: { rows: ReflectionRow[]; openId: string | undefined }) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
  });
  return (
    <div className={classes.scroller} ref={scroller}>
      <ul style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return (
            row && (
              <li key={row.id} style={{ transform: `translateY(${start}px)`, height: ROW_PX }}>
                <a
                  href={hrefOf({ screen: "reflect", reflectionId: row.id })}
                  className={classes.item}
                  {...(row.id === openId ? { "aria-current": "page" as const } : {})}
                >
                  <span className={classes.question}>{row.question}</span>
                  <span className={`${classes.facts} num`}>
                    {row.status !== "succeeded" && <JobStatusIcon status={row.status} />}
                    {row.nFinished} of {row.nIterations + 1} · <RelativeTime at={row.createdAt} />
                  </span>
                </a>
              </li>
            )
          );
        })}
      </ul>
    </div>
  );
}
