import type { z } from "zod";
import type { JobLane, JobProgress } from "../../shared/contract/job.ts";
import type { JobId } from "../../shared/ids.ts";

/** What a crash leaves as `running` becomes: queued again, or failed with INTERRUPTED. A handler that resumes from its own records uses requeue. */
export type JobRecovery = "requeue" | "fail";

export type JobContext<Input> = {
  jobId: JobId;
  input: Input;
  /** Aborts on cancel and on shutdown; `signal.reason` tells which. Honour it in every loop and wait. */
  signal: AbortSignal;
  progress(progress: JobProgress): void;
  /** A durable fact in the job's history. */
  record(kind: string, payload: unknown): void;
  /** Runs another job as a part of this one, or finds the one already run under the same key, and gives its output. */
  runChild(request: EnqueueRequest & { idempotencyKey: string }): Promise<unknown>;
};

export type JobDefinition<Schema extends z.ZodType = z.ZodType, Output = unknown> = {
  type: string;
  lane: JobLane;
  recovery: JobRecovery;
  input: Schema;
  /** A line for people: "Import 14 files". */
  title(input: z.output<Schema>): string;
  run(context: JobContext<z.output<Schema>>): Promise<Output>;
};

export type EnqueueRequest = { type: string; input: unknown; idempotencyKey?: string; parentId?: JobId };

/** Keeps the type of the input through the registry. */
export function defineJob<Schema extends z.ZodType, Output>(definition: JobDefinition<Schema, Output>): JobDefinition {
  // sound because the queue parses the input with the definition's own schema before it calls run
  return definition;
}
