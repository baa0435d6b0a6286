import type { z } from "zod";
import type { JobInput, JobOutput, JobType } from "../../shared/contract/job-types.ts";
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
  /** The same for what every attempt finds again: it is written down the first time. */
  recordOnce(kind: string, payload: unknown): void;
  /** Runs another job as a part of this one, or finds the one already run under the same key, and gives its output. */
  runChild<Type extends string>(
    request: EnqueueRequest & { type: Type; input: InputOf<Type>; idempotencyKey: string },
  ): Promise<OutputOf<Type>>;
};

export type JobDefinition<Schema extends z.ZodType = z.ZodType, Output = unknown> = {
  type: string;
  lane: JobLane;
  recovery: JobRecovery;
  input: Schema;
  /** A line for people: "Import 14 files". */
  title(input: z.output<Schema>): string;
  /** The id of the one thing that the job is about, where lists lead to it: a reflection. */
  about?(input: z.output<Schema>): string;
  run(context: JobContext<z.output<Schema>>): Promise<Output>;
};

export type EnqueueRequest = { type: string; input: unknown; idempotencyKey?: string; parentId?: JobId };

/** What the table of job types says; types that only tests know may take and give anything. */
type InputOf<Type extends string> = Type extends JobType ? JobInput<Type> : unknown;
export type OutputOf<Type extends string> = Type extends JobType ? JobOutput<Type> : unknown;

/** Keeps the types of input and output through the registry. */
export function defineJob<Type extends string, Schema extends z.ZodType>(
  definition: JobDefinition<Schema, OutputOf<Type>> & { type: Type },
): JobDefinition {
  // sound because the queue parses the input with the definition's own schema before it calls run
  return definition;
}
