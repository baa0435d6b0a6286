import { RingProgress, Tooltip } from "@mantine/core";
import type { JobRow } from "../../main/shared/contract/job.ts";
import { JOB_LIST_INPUT } from "../engine/invalidate.ts";
import { useEngineQuery } from "../engine/queries.ts";
import { plural } from "../lib/format.ts";
import { hrefOf } from "../lib/routes.ts";
import classes from "./ActivityIndicator.module.css";

/** The one place that says whether anything is being worked on, wherever one is. */
export function ActivityIndicator() {
  const { data: jobs = [] } = useEngineQuery("job.list", JOB_LIST_INPUT);
  const active = jobs.filter(({ status }) => status === "running" || status === "queued");
  if (active.length === 0) return null;
  const label = active
    .slice(0, 4)
    .map(({ title }) => title)
    .join("\n");
  return (
    <Tooltip label={label} position="right" style={{ whiteSpace: "pre-line" }}>
      <a
        href={hrefOf({ screen: "jobs" })}
        className={classes.indicator}
        aria-label={`${plural(active.length, "job")} at work`}
      >
        <RingProgress
          size={34}
          thickness={3}
          rootColor="var(--track)"
          sections={[{ value: 100 * shareOf(active), color: "accent" }]}
          label={<span className={`${classes.count} num`}>{active.length}</span>}
        />
      </a>
    </Tooltip>
  );
}

/** Mean share done of the jobs that know their total; a tenth where none does, so that the ring is not empty. */
function shareOf(jobs: JobRow[]): number {
  const shares = jobs.flatMap(({ progress }) => (progress?.total ? [progress.n / progress.total] : []));
  return shares.length === 0 ? 0.1 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
