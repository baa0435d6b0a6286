import { Progress } from "@mantine/core";
import type { JobProgress } from "../../main/shared/contract/job.ts";
import { formatBytes, formatCount, formatEstimate, formatRate } from "../lib/format.ts";
import { timeLeftMs } from "../lib/job-rate.ts";
import classes from "./ProgressLine.module.css";

export type ProgressLineProps = { title: string; progress: JobProgress | null; unitsPerSecond: number | null };

/** How far, in the job's own unit, how fast and how long still; a bar beneath. */
export function ProgressLine({ title, progress, unitsPerSecond }: ProgressLineProps) {
  const leftMs = progress && timeLeftMs(progress, unitsPerSecond);
  const facts = [
    progress && countOf(progress),
    progress && unitsPerSecond !== null && rateText(unitsPerSecond, progress.unit),
    leftMs !== null && leftMs > 0 && `about ${formatEstimate(leftMs)} left`,
  ].filter(Boolean);
  const share = progress?.total ? (100 * progress.n) / progress.total : null;
  return (
    <div className={classes.line}>
      <div className={`${classes.facts} num`}>{facts.join(" · ") || "starting"}</div>
      <Progress
        aria-label={title}
        value={share ?? 100}
        animated={share === null}
        striped={share === null}
        size={4}
        transitionDuration={120}
      />
    </div>
  );
}

function countOf({ n, total, unit }: JobProgress): string {
  if (unit === "bytes") return total === null ? formatBytes(n) : `${formatBytes(n)} of ${formatBytes(total)}`;
  const many = formatCount(Math.round(n * 10) / 10);
  return total === null ? `${many} ${unit}` : `${many} of ${formatCount(total)} ${unit}`;
}

function rateText(perSecond: number, unit: string): string {
  return unit === "bytes" ? `${formatBytes(Math.round(perSecond))}/s` : formatRate(perSecond, unit);
}
