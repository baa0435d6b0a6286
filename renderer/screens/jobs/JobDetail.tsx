import type { JobRow } from "../../../main/shared/contract/job.ts";
import { Loaded } from "../../components/Loaded.tsx";
import { useEngineQuery } from "../../engine/queries.ts";
import { formatExactTime } from "../../lib/format.ts";
import classes from "./Jobs.module.css";

/** What a job has to say for itself: when, in which lane, and every event it left. */
export function JobDetail({ job }: { job: JobRow }) {
  const detail = useEngineQuery("job.get", { jobId: job.id });
  return (
    <div className={classes.detail}>
      <dl className={`${classes.times} num`}>
        <dt>Kind</dt>
        <dd className="mono">{job.type}</dd>
        <dt>Lane</dt>
        <dd>{job.lane}</dd>
        <dt>Queued</dt>
        <dd>{formatExactTime(job.queuedAt)}</dd>
        {job.startedAt !== null && (
          <>
            <dt>Started</dt>
            <dd>{formatExactTime(job.startedAt)}</dd>
          </>
        )}
        {job.finishedAt !== null && (
          <>
            <dt>Ended</dt>
            <dd>{formatExactTime(job.finishedAt)}</dd>
          </>
        )}
      </dl>
      <Loaded query={detail} what="The events" nRows={3}>
        {({ events }) =>
          events.length === 0 ? (
            <div className="dim">No events.</div>
          ) : (
            <ol className={`${classes.events} mono`} tabIndex={0} aria-label="Events">
              {events.map(({ seq, at, kind, payload }) => (
                <li key={seq}>
                  <time className="dim">{new Date(at).toLocaleTimeString("en", { hour12: false })}</time>{" "}
                  <strong>{kind}</strong>{" "}
                  {payload !== null && payload !== undefined && <span className="dim">{oneLine(payload)}</span>}
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </div>
  );
}

const MOST_CHARS = 400;

function oneLine(payload: unknown): string {
  const text = typeof payload === "string" ? payload : JSON.stringify(payload);
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}
