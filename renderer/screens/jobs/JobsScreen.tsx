import { SegmentedControl } from "@mantine/core";
import { IconListCheck } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef, useState } from "react";
import type { JobRow } from "../../../main/shared/contract/job.ts";
import { EmptyState } from "../../components/EmptyState.tsx";
import { Loaded } from "../../components/Loaded.tsx";
import { ScreenHeader } from "../../components/ScreenHeader.tsx";
import { JOB_LIST_INPUT } from "../../engine/invalidate.ts";
import { useEngineQuery } from "../../engine/queries.ts";
import { useRoute } from "../../lib/use-route.ts";
import { JobCard } from "./JobCard.tsx";
import classes from "./Jobs.module.css";

type Filter = "all" | "active" | "ended" | "failed";

const CARD_PX = 64;

export default function JobsScreen() {
  const jobs = useEngineQuery("job.list", JOB_LIST_INPUT);
  const [filter, setFilter] = useState<Filter>("all");
  const count = (which: Filter) => (jobs.data ?? []).filter((job) => isIn(job, which)).length;
  return (
    <>
      <ScreenHeader title="Jobs" summary={jobs.data && `${count("active")} at work · ${count("ended")} ended`}>
        <SegmentedControl
          aria-label="Show"
          value={filter}
          onChange={setFilter}
          data={[
            { value: "all", label: "All" },
            { value: "active", label: "At work" },
            { value: "ended", label: "Ended" },
            { value: "failed", label: `Failed${count("failed") > 0 ? ` ${count("failed")}` : ""}` },
          ]}
        />
      </ScreenHeader>
      <Loaded query={jobs} what="The jobs" nRows={8}>
        {(rows) => <JobList rows={rows.filter((job) => isIn(job, filter))} hasAny={rows.length > 0} />}
      </Loaded>
    </>
  );
}

function JobList({ rows, hasAny }: { rows: JobRow[]; hasAny: boolean }) {
  const route = useRoute();
  const openId = route.screen === "jobs" ? route.jobId : undefined;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => CARD_PX,
    getItemKey: (index) => rows[index]?.id ?? index,
    overscan: 8,
  });
  if (rows.length === 0) return <NoJobs hasAny={hasAny} />;
  return (
    <div className={classes.scroller} ref={scroller}>
      <div className={classes.list} style={{ height: virtual.getTotalSize() }} role="list" aria-label="Jobs">
        {virtual.getVirtualItems().map(({ index, start, key }) => {
          const job = rows[index];
          return (
            job && (
              <div
                key={key}
                role="listitem"
                data-index={index}
                ref={virtual.measureElement}
                className={classes.item}
                style={{ transform: `translateY(${start}px)` }}
              >
                <JobCard job={job} isOpen={job.id === openId} />
              </div>
            )
          );
        })}
      </div>
    </div>
  );
}

function NoJobs({ hasAny }: { hasAny: boolean }) {
  return (
    <EmptyState
      icon={<IconListCheck size={40} stroke={1.2} />}
      title={hasAny ? "No job of this kind" : "Nothing has been run yet"}
    >
      {hasAny
        ? "Choose “All” to see the others."
        : "Imports, pair generation, training and reflections appear here while they run and after. They go on when you leave a screen, and after a restart."}
    </EmptyState>
  );
}

function isIn({ status }: JobRow, filter: Filter): boolean {
  const isActive = status === "queued" || status === "running";
  if (filter === "active") return isActive;
  if (filter === "ended") return !isActive;
  return filter === "all" || status === "failed";
}
