import { Button, CloseButton } from "@mantine/core";
import type { ImportedDocument } from "../../../main/shared/contract/corpus.ts";
import type { JobRow } from "../../../main/shared/contract/job.ts";
import { outputOf } from "../../../main/shared/contract/job-types.ts";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { JobStatusIcon } from "../../components/JobStatusIcon.tsx";
import { ProgressLine } from "../../components/ProgressLine.tsx";
import { useImports } from "../../engine/import-documents.ts";
import { JOB_LIST_INPUT } from "../../engine/invalidate.ts";
import { useJobSamples } from "../../engine/job-samples.ts";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import { rateOf } from "../../lib/job-rate.ts";
import classes from "./ImportNotices.module.css";

/** What this window has asked to import: on its way, at work, done with a reason for each file that is not ready. */
export function ImportNotices() {
  const { jobIds, upload, skipped, error, dismiss, dismissNotices } = useImports();
  const { data: jobs = [] } = useEngineQuery("job.list", JOB_LIST_INPUT);
  const shown = jobs.filter((job) => jobIds.includes(job.id));
  if (shown.length === 0 && !upload && skipped.length === 0 && !error) return null;
  return (
    <div className={classes.notices}>
      {upload && (
        <div className={classes.notice}>
          <ProgressLine
            title="Handing over files"
            progress={{ ...upload, unit: "files handed over", message: "" }}
            unitsPerSecond={null}
          />
        </div>
      )}
      {Boolean(error) && <ErrorNotice what="The import did not start" error={error} />}
      {skipped.length > 0 && (
        <div className={classes.notice}>
          <span>
            Left out, because {skipped.length === 1 ? "it is no PDF" : "they are no PDFs"}:{" "}
            <FileNames names={skipped} />
          </span>
          <CloseButton size="xs" aria-label="Dismiss" onClick={dismissNotices} />
        </div>
      )}
      {shown.map((job) =>
        job.status === "running" || job.status === "queued" ? (
          <RunningImport key={job.id} job={job} />
        ) : (
          <EndedImport key={job.id} job={job} onDismiss={() => dismiss(job.id)} />
        ),
      )}
    </div>
  );
}

function RunningImport({ job }: { job: JobRow }) {
  const samples = useJobSamples((all) => all[job.id]) ?? [];
  const cancel = useEngineCommand("job.cancel");
  return (
    <div className={classes.notice}>
      <JobStatusIcon status={job.status} />
      <div className={classes.grow}>
        <ProgressLine title={job.title} progress={job.progress} unitsPerSecond={rateOf(samples)} />
      </div>
      <Button
        variant="default"
        size="compact-xs"
        loading={cancel.isPending}
        onClick={() => cancel.mutate({ jobId: job.id })}
      >
        Cancel
      </Button>
    </div>
  );
}

function EndedImport({ job, onDismiss }: { job: JobRow; onDismiss(): void }) {
  const { data: ended } = useEngineQuery("job.get", { jobId: job.id });
  if (job.status === "failed") return <ErrorNotice what={`${job.title} failed`} error={job.error} />;
  // a cancelled import has no output, and that of a finished one comes a moment after its end
  const documents = ended?.status === "succeeded" ? outputOf(ended, "corpus.import").documents : [];
  const withStatus = (status: ImportedDocument["status"]) => documents.filter((document) => document.status === status);
  const counts = [
    job.status === "cancelled" && "cancelled",
    ended && `${plural(withStatus("ready").length, "document")} imported`,
    withStatus("duplicate").length > 0 && `${withStatus("duplicate").length} already in the corpus`,
    withStatus("needs_ocr").length > 0 && `${withStatus("needs_ocr").length} without text`,
    withStatus("failed").length > 0 && `${withStatus("failed").length} could not be read`,
  ].filter(Boolean);
  const failed = withStatus("failed");
  return (
    <div className={classes.notice}>
      <JobStatusIcon status={failed.length > 0 ? "failed" : job.status} />
      <div className={classes.grow}>
        <div>{counts.join(" · ")}</div>
        {failed.map(({ path, reason }) => (
          <div key={path} className="small">
            <strong>{baseName(path)}</strong>: <span className="dim">{reason ?? "no reason given"}</span>
          </div>
        ))}
      </div>
      <CloseButton size="xs" aria-label="Dismiss" onClick={onDismiss} />
    </div>
  );
}

const MOST_NAMES = 6;

function FileNames({ names }: { names: string[] }) {
  const more = names.length - MOST_NAMES;
  return <strong>{names.slice(0, MOST_NAMES).join(", ") + (more > 0 ? ` and ${more} more` : "")}</strong>;
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
