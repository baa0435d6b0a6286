import type { JobEventRow, JobLane, JobProgress, JobRow, JobStatus } from "../../shared/contract/job.ts";
import type { SerializedError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";

type Row = {
  id: string;
  type: string;
  title: string;
  lane: string;
  status: string;
  input: string;
  output: string | null;
  error: string | null;
  progress: string | null;
  attempt: number;
  cancel_requested_at: number | null;
  parent_id: string | null;
  idempotency_key: string | null;
  queued_at: number;
  started_at: number | null;
  finished_at: number | null;
};

/** A row as it is stored; what a job is about, its definition knows. */
export type StoredJob = Omit<JobRow, "about"> & {
  input: unknown;
  output: unknown;
  isCancelRequested: boolean;
  idempotencyKey: string | null;
};
/** Without the output, which is not read from the disk where nobody asked for it. */
export type ListedJob = Omit<StoredJob, "output">;
export type JobStore = ReturnType<typeof createJobStore>;

export function createJobStore(db: Db, clock: Clock) {
  const insert = db.prepare(`
    INSERT INTO job (id, type, title, lane, status, input, attempt, idempotency_key, parent_id, queued_at)
    VALUES (@id, @type, @title, @lane, 'queued', @input, 0, @idempotencyKey, @parentId, @queuedAt)`);
  const selectById = db.prepare<[string], Row>("SELECT * FROM job WHERE id = ?");
  const selectByKey = db.prepare<[string], Row>("SELECT * FROM job WHERE idempotency_key = ?");
  const selectRecent = db.prepare<[number], Omit<Row, "output">>(`
    SELECT id, type, title, lane, status, input, error, progress, attempt, cancel_requested_at, idempotency_key,
      parent_id, queued_at, started_at, finished_at
    FROM job ORDER BY queued_at DESC, id DESC LIMIT ?`);
  const selectByStatus = db.prepare<[string], Row>("SELECT * FROM job WHERE status = ? ORDER BY queued_at, id");
  const selectRetry = db.prepare<[string, string], Row>(
    "SELECT * FROM job WHERE parent_id = ? AND type = ? ORDER BY queued_at DESC, id DESC LIMIT 1",
  );
  const selectNext = db.prepare<[string], Row>(
    "SELECT * FROM job WHERE status = 'queued' AND lane = ? ORDER BY queued_at, id LIMIT 1",
  );
  const markRunning = db.prepare(
    "UPDATE job SET status = 'running', attempt = attempt + 1, started_at = COALESCE(started_at, @at) WHERE id = @id",
  );
  const markQueued = db.prepare("UPDATE job SET status = 'queued' WHERE id = ? AND status = 'running'");
  const markFinished = db.prepare(`
    UPDATE job SET status = @status, output = @output, error = @error, finished_at = @at
    WHERE id = @id AND status IN ('queued', 'running')`);
  const releaseKey = db.prepare("UPDATE job SET idempotency_key = NULL WHERE id = ?");
  const updateProgress = db.prepare("UPDATE job SET progress = @progress WHERE id = @id");
  const requestCancel = db.prepare(
    "UPDATE job SET cancel_requested_at = COALESCE(cancel_requested_at, @at) WHERE id = @id AND status IN ('queued', 'running')",
  );
  const insertEvent = db.prepare(`
    INSERT INTO job_event (job_id, seq, at, kind, payload)
    SELECT @jobId, COALESCE(MAX(seq), 0) + 1, @at, @kind, @payload FROM job_event WHERE job_id = @jobId`);
  const selectEvents = db.prepare<[string], { seq: number; at: number; kind: string; payload: string }>(
    "SELECT seq, at, kind, payload FROM job_event WHERE job_id = ? ORDER BY seq",
  );
  const selectSameEvent = db.prepare<{ jobId: JobId; kind: string; payload: string }, { seq: number }>(
    "SELECT seq FROM job_event WHERE job_id = @jobId AND kind = @kind AND payload = @payload",
  );

  const get = (id: string) => mapRow(selectById.get(id));
  const record = (jobId: JobId, kind: string, payload: unknown) =>
    insertEvent.run({ jobId, at: clock(), kind, payload: JSON.stringify(payload ?? null) });

  const claim = db.transaction((lane: JobLane) => {
    const row = selectNext.get(lane);
    if (!row) return undefined;
    markRunning.run({ id: row.id, at: clock() });
    return get(row.id);
  });

  return {
    get,
    findByKey: (key: string) => mapRow(selectByKey.get(key)),
    /** The newest second try: a job whose parent is this one, of the same type. */
    findRetry: ({ id, type }: StoredJob) => mapRow(selectRetry.get(id, type)),
    list: (limit: number): ListedJob[] => selectRecent.all(limit).map(mapListed),
    withStatus: (status: JobStatus) => selectByStatus.all(status).map(mapKnownRow),
    /** Takes the oldest queued job of the lane, in one immediate transaction. */
    claim: (lane: JobLane) => claim.immediate(lane),
    insert(job: {
      type: string;
      title: string;
      lane: JobLane;
      input: unknown;
      idempotencyKey?: string | undefined;
      parentId?: JobId | undefined;
    }): JobId {
      const id = newId<JobId>(clock());
      insert.run({
        id,
        type: job.type,
        title: job.title,
        lane: job.lane,
        input: JSON.stringify(job.input),
        idempotencyKey: job.idempotencyKey ?? null,
        parentId: job.parentId ?? null,
        queuedAt: clock(),
      });
      return id;
    },
    requeue: (id: JobId) => void markQueued.run(id),
    /** An ended job gives its key up, so that the same work can be asked for again. */
    releaseKey: (id: JobId) => void releaseKey.run(id),
    finish(id: JobId, status: JobStatus, result: { output?: unknown; error?: SerializedError }): void {
      markFinished.run({
        id,
        status,
        output: result.output === undefined ? null : JSON.stringify(result.output),
        error: result.error ? JSON.stringify(result.error) : null,
        at: clock(),
      });
    },
    setProgress: (id: JobId, progress: JobProgress) =>
      void updateProgress.run({ id, progress: JSON.stringify(progress) }),
    requestCancel: (id: JobId) => void requestCancel.run({ id, at: clock() }),
    record,
    recordOnce(jobId: JobId, kind: string, payload: unknown): void {
      if (!selectSameEvent.get({ jobId, kind, payload: JSON.stringify(payload ?? null) })) record(jobId, kind, payload);
    },
    events: (jobId: JobId): JobEventRow[] =>
      selectEvents.all(jobId).map((row) => ({ ...row, payload: JSON.parse(row.payload) as unknown })),
  };
}

function mapRow(row: Row | undefined): StoredJob | undefined {
  return row && mapKnownRow(row);
}

function mapKnownRow(row: Row): StoredJob {
  return { ...mapListed(row), output: row.output === null ? null : (JSON.parse(row.output) as unknown) };
}

function mapListed(row: Omit<Row, "output">): ListedJob {
  return {
    id: row.id as JobId,
    type: row.type,
    title: row.title,
    lane: row.lane as JobLane,
    status: row.status as JobStatus,
    progress: row.progress === null ? null : (JSON.parse(row.progress) as JobProgress),
    error: row.error === null ? null : (JSON.parse(row.error) as SerializedError),
    attempt: row.attempt,
    parentId: row.parent_id as JobId | null,
    queuedAt: row.queued_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    input: JSON.parse(row.input) as unknown,
    isCancelRequested: row.cancel_requested_at !== null,
    idempotencyKey: row.idempotency_key,
  };
}
