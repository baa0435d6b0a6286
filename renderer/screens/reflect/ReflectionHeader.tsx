import { Button, CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { JobStatus } from "../../../main/shared/contract/job.ts";
import type { SourceSpan } from "../../../main/shared/contract/reflection.ts";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { JobStatusIcon } from "../../components/JobStatusIcon.tsx";
import { RelativeTime } from "../../components/RelativeTime.tsx";
import { SourceChip } from "../../components/SourceChip.tsx";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { STOP_REASONS } from "../../lib/iteration-text.ts";
import { reflectionMarkdown } from "../../lib/reflection-markdown.ts";
import classes from "./Reflect.module.css";
import type { Reflection } from "./ReflectionView.tsx";

const WORD: Record<Exclude<JobStatus, "queued">, string> = {
  running: "At work",
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled; finished iterations are kept",
};

export function ReflectionHeader({ reflection }: { reflection: Reflection }) {
  const cancel = useEngineCommand("job.cancel");
  const { jobId, status, stopReason, sources } = reflection;
  return (
    <section className={classes.intro} aria-label="Question">
      <div className={classes.questionRow}>
        <h2 className={classes.questionText}>{reflection.question}</h2>
        {status === "running" && jobId && (
          <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate({ jobId })}>
            Cancel
          </Button>
        )}
        {reflection.iterations.length > 0 && (
          <CopyButton value={reflectionMarkdown(reflection)}>
            {({ copied, copy }) => (
              <Button
                variant="default"
                leftSection={copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
                onClick={copy}
              >
                {copied ? "Copied" : "Copy as Markdown"}
              </Button>
            )}
          </CopyButton>
        )}
      </div>
      <div className={classes.roles}>
        <span className={classes.status}>
          <JobStatusIcon status={status} /> {WORD[status]}
          {stopReason && `, ${STOP_REASONS[stopReason]}`}
        </span>
        <span>model {reflection.model}</span>
        {reflection.adapter && <span>adapter {baseName(reflection.adapter)}</span>}
        <span>critic {reflection.critic ?? "the base model"}</span>
        <RelativeTime at={reflection.createdAt} />
      </div>
      {sources.length > 0 && (
        <div className={classes.sources}>
          <span className="dim">Sources</span>
          {byDocument(sources).map(([first, ...others]) => (
            <span key={first.documentId} className={classes.sourceGroup}>
              <Source source={first} />
              {others.map((source) => (
                <Source key={source.chunkId} source={source} isPageOnly />
              ))}
            </span>
          ))}
        </div>
      )}
      {status === "failed" && jobId && <Failure jobId={jobId} />}
    </section>
  );
}

function Failure({ jobId }: { jobId: NonNullable<Reflection["jobId"]> }) {
  const { data: job } = useEngineQuery("job.get", { jobId });
  const retry = useEngineCommand("job.retry");
  return job?.error ? (
    <ErrorNotice what="The reflection failed" error={job.error} onRetry={() => retry.mutate({ jobId })} />
  ) : null;
}

function Source({ source, isPageOnly = false }: { source: SourceSpan; isPageOnly?: boolean }) {
  const { documentId, title, page, start, end, text } = source;
  return (
    <SourceChip
      documentId={documentId}
      title={title}
      page={page}
      span={{ start, end }}
      text={text}
      isPageOnly={isPageOnly}
    />
  );
}

/** The title of a paper once, then its pages. */
function byDocument(sources: SourceSpan[]): [SourceSpan, ...SourceSpan[]][] {
  const groups = new Map<string, [SourceSpan, ...SourceSpan[]]>();
  for (const source of sources.toSorted((a, b) => a.page - b.page || a.start - b.start)) {
    const group = groups.get(source.documentId);
    if (group) group.push(source);
    else groups.set(source.documentId, [source]);
  }
  return [...groups.values()];
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
