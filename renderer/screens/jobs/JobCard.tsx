import { Button } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import type { JobRow, JobStatus } from "../../../main/shared/contract/job.ts";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { JobStatusIcon } from "../../components/JobStatusIcon.tsx";
import { ProgressLine } from "../../components/ProgressLine.tsx";
import { RelativeTime } from "../../components/RelativeTime.tsx";
import { useJobSamples } from "../../engine/job-samples.ts";
import { useEngineCommand } from "../../engine/queries.ts";
import { formatDuration } from "../../lib/format.ts";
import { rateOf } from "../../lib/job-rate.ts";
import { placeOfResult } from "../../lib/job-place.ts";
import { hrefOf } from "../../lib/routes.ts";
import { navigate } from "../../lib/use-route.ts";
import { useNow } from "../../lib/use-now.ts";
import { JobDetail } from "./JobDetail.tsx";
import classes from "./Jobs.module.css";

const WORD: Record<JobStatus, string> = {
  queued: "Queued",
  running: "Running",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

export function JobCard({ job, isOpen }: { job: JobRow; isOpen: boolean }) {
  const toggle = () => navigate(isOpen ? { screen: "jobs" } : { screen: "jobs", jobId: job.id }, { replace: true });
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <article className={classes.card} aria-label={job.title}>
      <div className={classes.head}>
        <JobStatusIcon status={job.status} />
        <button type="button" className={classes.title} aria-expanded={isOpen} onClick={toggle}>
          <span className="clip">{job.title}</span>
          <Chevron size={14} aria-hidden />
        </button>
        <JobFacts job={job} />
        <JobActions job={job} />
      </div>
      {job.status === "running" && <Running job={job} />}
      {job.status === "failed" && <ErrorNotice what={`${job.title} failed`} error={job.error} />}
      {isOpen && <JobDetail job={job} />}
    </article>
  );
}

function JobFacts({ job }: { job: JobRow }) {
  return (
    <div className={`${classes.facts} num`}>
      <span data-status={job.status}>
        {WORD[job.status]}
        {job.attempt > 1 && `, attempt ${job.attempt}`}
      </span>
      <JobDuration job={job} />
      <RelativeTime at={job.finishedAt ?? job.startedAt ?? job.queuedAt} />
    </div>
  );
}

function JobDuration({ job: { startedAt, finishedAt } }: { job: JobRow }) {
  if (startedAt === null) return <span />;
  return finishedAt === null ? <Elapsed since={startedAt} /> : <span>{formatDuration(finishedAt - startedAt)}</span>;
}

function Elapsed({ since }: { since: number }) {
  const now = useNow(1000);
  return <span>{formatDuration(Math.max(0, now - since))}</span>;
}

function Running({ job }: { job: JobRow }) {
  const samples = useJobSamples((all) => all[job.id]) ?? [];
  return (
    <div className={classes.running}>
      {job.progress?.message && <div className="dim clip">{job.progress.message}</div>}
      <ProgressLine title={job.title} progress={job.progress} unitsPerSecond={rateOf(samples)} />
    </div>
  );
}

function JobActions({ job }: { job: JobRow }) {
  const cancel = useEngineCommand("job.cancel");
  const retry = useEngineCommand("job.retry");
  const place = placeOfResult(job);
  return (
    <div className={classes.actions}>
      {place && (
        <Button component="a" variant="subtle" size="compact-xs" href={hrefOf(place.route)}>
          {place.label}
        </Button>
      )}
      {(job.status === "running" || job.status === "queued") && (
        <Button
          variant="default"
          size="compact-xs"
          loading={cancel.isPending}
          onClick={() => cancel.mutate({ jobId: job.id })}
        >
          Cancel
        </Button>
      )}
      {(job.status === "failed" || job.status === "cancelled") && (
        <Button
          variant="default"
          size="compact-xs"
          loading={retry.isPending}
          onClick={() => retry.mutate({ jobId: job.id })}
        >
          Run again
        </Button>
      )}
    </div>
  );
}
