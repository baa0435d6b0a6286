import type { JobLane, JobProgress, JobRow } from "../../shared/contract/job.ts";
import { AppError, deserializeError, serializeError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Logger } from "../lib/logger.ts";
import type { EnqueueRequest, JobContext, JobDefinition, OutputOf } from "./definition.ts";
import type { JobStore, ListedJob, StoredJob } from "./job-store.ts";

/**
 * [Note: durable jobs] SQLite is the truth, memory a cache. A job is claimed in one transaction, its cancel is
 * written down before its signal aborts, and what a crash leaves running is queued again at the next start. Handlers
 * keep their own results under unique keys, so that a second attempt finds what the first one finished.
 * The `gpu` lane has one place: inference batches and training exclude each other by construction. A `pipeline` job
 * only waits for its children, so it must not take a place that they need.
 */
const LANE_WIDTH: Record<JobLane, number> = { gpu: 1, cpu: 2, io: 2, pipeline: 4 };
const LANES = Object.keys(LANE_WIDTH) as JobLane[];
const PROGRESS_INTERVAL_MS = 100;
const PROGRESS_SAVE_INTERVAL_MS = 1000;

export type JobQueue = ReturnType<typeof createJobQueue>;

/** The reason of a signal that aborts because the engine closes: the job stays queued for the next start. */
class EngineClosing extends Error {}

export function createJobQueue(options: {
  store: JobStore;
  definitions: readonly JobDefinition[];
  log: Logger;
  onChange(job: JobRow): void;
}) {
  const { store, log } = options;
  const definitions = new Map(options.definitions.map((definition) => [definition.type, definition]));
  const running = new Map<JobId, { controller: AbortController; finished: Promise<void>; lane: JobLane }>();
  const waiters = new Map<JobId, Set<() => void>>();
  let isOpen = false;

  function definitionOf(type: string): JobDefinition {
    const definition = definitions.get(type);
    if (!definition) throw new Error(`no job of type ${type}`);
    return definition;
  }

  function toRow(job: ListedJob): JobRow {
    const { id, type, title, lane, status, progress, error, attempt, parentId, queuedAt, startedAt, finishedAt } = job;
    const about = definitions.get(type)?.about?.(job.input) ?? null;
    return {
      id,
      type,
      title,
      lane,
      status,
      progress,
      error,
      attempt,
      parentId,
      about,
      queuedAt,
      startedAt,
      finishedAt,
    };
  }

  function changed(jobId: JobId): void {
    const job = store.get(jobId);
    if (!job) return;
    options.onChange(toRow(job));
    if (isTerminal(job)) {
      for (const wake of waiters.get(jobId) ?? []) wake();
      waiters.delete(jobId);
    }
  }

  function enqueue(request: EnqueueRequest): JobId {
    const definition = definitionOf(request.type);
    const input = definition.input.parse(request.input);
    const known = request.idempotencyKey === undefined ? undefined : store.findByKey(request.idempotencyKey);
    if (known && known.status !== "failed" && known.status !== "cancelled") return known.id;
    if (known) store.releaseKey(known.id);
    const jobId = store.insert({
      type: definition.type,
      title: definition.title(input),
      lane: definition.lane,
      input,
      idempotencyKey: request.idempotencyKey,
      parentId: request.parentId ?? known?.id,
    });
    changed(jobId);
    pump();
    return jobId;
  }

  function pump(): void {
    if (!isOpen) return;
    for (const lane of LANES) {
      while ([...running.values()].filter((job) => job.lane === lane).length < LANE_WIDTH[lane]) {
        const job = store.claim(lane);
        if (!job) break;
        start(job);
      }
    }
  }

  function start(job: StoredJob): void {
    const controller = new AbortController();
    const entry = { controller, lane: job.lane, finished: Promise.resolve() };
    running.set(job.id, entry);
    entry.finished = runJob(job, controller.signal).finally(() => {
      running.delete(job.id);
      changed(job.id);
      pump();
    });
    changed(job.id);
  }

  async function runJob(job: StoredJob, signal: AbortSignal): Promise<void> {
    try {
      if (job.isCancelRequested) throw new AppError("CANCELLED", "Cancelled");
      const definition = definitionOf(job.type);
      const parsed = definition.input.safeParse(job.input);
      if (!parsed.success) throw new AppError("VALIDATION_FAILED", "The job's input is from another version");
      const output = await definition.run(contextOf(job, parsed.data, signal));
      store.finish(job.id, "succeeded", { output: output ?? {} });
    } catch (error) {
      if (signal.aborted && signal.reason instanceof EngineClosing) return store.requeue(job.id);
      const isCancelled = store.get(job.id)?.isCancelRequested === true;
      if (!isCancelled) log.error({ scope: "job", jobId: job.id, type: job.type, err: error }, "job failed");
      store.finish(job.id, isCancelled ? "cancelled" : "failed", {
        error: isCancelled ? { code: "CANCELLED", message: "Cancelled" } : serializeError(error),
      });
    }
  }

  function contextOf(job: StoredJob, input: unknown, signal: AbortSignal): JobContext<unknown> {
    return {
      jobId: job.id,
      input,
      signal,
      progress: throttledProgress(job.id),
      record: (kind, payload) => void store.record(job.id, kind, payload),
      recordOnce: (kind, payload) => store.recordOnce(job.id, kind, payload),
      async runChild<Type extends string>(request: EnqueueRequest & { type: Type }) {
        const childId = enqueue({ ...request, parentId: job.id });
        const cancelChild = () => {
          if (!(signal.reason instanceof EngineClosing)) cancel(childId);
        };
        signal.addEventListener("abort", cancelChild, { once: true });
        try {
          // what the handler of this type gave: defineJob holds it to the table of job types
          return (await wait(childId, signal)).output as OutputOf<Type>;
        } finally {
          signal.removeEventListener("abort", cancelChild);
        }
      },
    };
  }

  function throttledProgress(jobId: JobId): (progress: JobProgress) => void {
    let sentAt = 0;
    let savedAt = 0;
    return (progress) => {
      const now = performance.now();
      const isLast = progress.total !== null && progress.n >= progress.total;
      if (!isLast && now - sentAt < PROGRESS_INTERVAL_MS) return;
      sentAt = now;
      if (isLast || now - savedAt >= PROGRESS_SAVE_INTERVAL_MS) {
        savedAt = now;
        store.setProgress(jobId, progress);
      }
      const job = store.get(jobId);
      if (job) options.onChange({ ...toRow(job), progress });
    };
  }

  function cancel(jobId: JobId): void {
    store.requestCancel(jobId);
    const entry = running.get(jobId);
    if (entry) entry.controller.abort(new AppError("CANCELLED", "Cancelled"));
    else store.finish(jobId, "cancelled", { error: { code: "CANCELLED", message: "Cancelled" } });
    changed(jobId);
  }

  /** Resolves with the job when it has succeeded; rejects with its error when it failed or was cancelled. */
  async function wait(jobId: JobId, signal?: AbortSignal): Promise<JobRow & { output: unknown }> {
    for (;;) {
      const job = store.get(jobId);
      if (!job) throw new AppError("NOT_FOUND", `There is no job ${jobId}`);
      if (job.status === "succeeded") return { ...toRow(job), output: job.output };
      if (isTerminal(job))
        throw deserializeError({ code: "INTERNAL", message: "The job failed", ...job.error } as never);
      signal?.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const set = waiters.get(jobId) ?? new Set();
        waiters.set(jobId, set.add(resolve));
        signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      });
    }
  }

  return {
    enqueue,
    cancel,
    wait,
    list: (limit: number) => store.list(limit).map(toRow),
    get(jobId: JobId) {
      const job = store.get(jobId);
      if (!job) throw new AppError("NOT_FOUND", `There is no job ${jobId}`);
      return { ...toRow(job), output: job.output, events: store.events(jobId) };
    },
    retry(jobId: JobId): JobId {
      const job = store.get(jobId);
      if (!job) throw new AppError("NOT_FOUND", `There is no job ${jobId}`);
      if (!isTerminal(job)) throw new AppError("CONFLICT", "The job has not ended yet");
      return tryAgain(job);
    },
    /** The job of the request that was made under this key. */
    findByKey: (key: string) => store.findByKey(key),
    /** Jobs of this type that wait or run, or that the next start goes on with. */
    unfinished: (type: string) =>
      [...store.withStatus("running"), ...store.withStatus("queued")].filter((job) => job.type === type),
    /** The same request makes a new job from now on. */
    forgetKey: (jobId: JobId) => store.releaseKey(jobId),
    /** Puts right what the last process left and begins to work. */
    open(): void {
      for (const job of store.withStatus("running")) recover(job);
      isOpen = true;
      pump();
    },
    /** Stops the running jobs so that the next start goes on with them. */
    async close(): Promise<void> {
      isOpen = false;
      const jobs = [...running.values()];
      for (const job of jobs) job.controller.abort(new EngineClosing("The engine closes"));
      await Promise.all(jobs.map((job) => job.finished));
    },
  };

  /** Asked for twice it is still one: what a second try has begun or finished is not done again. */
  function tryAgain(job: StoredJob): JobId {
    const later = store.findRetry(job);
    if (later && !isTerminal(later)) return later.id;
    if (later && later.status !== "succeeded") return tryAgain(later);
    if (later && job.status !== "succeeded") return later.id;
    const { type, input } = job;
    // the key goes on with the work; what has succeeded keeps its own, and is done once more
    const key = job.status === "succeeded" ? null : job.idempotencyKey;
    return enqueue({ type, input, parentId: job.id, ...(key === null ? {} : { idempotencyKey: key }) });
  }

  function recover(job: StoredJob): void {
    store.record(job.id, "interrupted", { attempt: job.attempt });
    if (job.isCancelRequested) {
      store.finish(job.id, "cancelled", { error: { code: "CANCELLED", message: "Cancelled" } });
    } else if (definitions.get(job.type)?.recovery === "requeue") {
      store.requeue(job.id);
    } else {
      const error = new AppError("INTERRUPTED", "The program ended while this was running", {
        hint: "Start it again.",
      });
      store.finish(job.id, "failed", { error: serializeError(error) });
    }
  }
}

function isTerminal(job: { status: JobRow["status"] }): boolean {
  return job.status === "succeeded" || job.status === "failed" || job.status === "cancelled";
}
