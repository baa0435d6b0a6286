import { z } from "zod";
import { JobId } from "../ids.ts";
import { command, query } from "./define.ts";

export const JobStatus = z.enum(["queued", "running", "succeeded", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof JobStatus>;
export const JobLane = z.enum(["gpu", "cpu", "io", "pipeline"]);
export type JobLane = z.infer<typeof JobLane>;

export const JobError = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

/** Progress in the job's own unit: `n` of `total` (null while the total is unknown). */
export const JobProgress = z.object({
  n: z.number(),
  total: z.number().nullable(),
  unit: z.string(),
  message: z.string(),
});
export type JobProgress = z.infer<typeof JobProgress>;

/** A job as lists and events show it: without its output, which can hold hundreds of pairs. */
export const JobRow = z.object({
  id: JobId,
  type: z.string(),
  title: z.string(),
  lane: JobLane,
  status: JobStatus,
  progress: JobProgress.nullable(),
  error: JobError.nullable(),
  attempt: z.int(),
  parentId: JobId.nullable(),
  /** The id of the one thing that the job is about, where a list leads to it. */
  about: z.string().nullable(),
  queuedAt: z.int(),
  startedAt: z.int().nullable(),
  finishedAt: z.int().nullable(),
});
export type JobRow = z.infer<typeof JobRow>;

export const JobEventRow = z.object({ seq: z.int(), at: z.int(), kind: z.string(), payload: z.unknown() });
export type JobEventRow = z.infer<typeof JobEventRow>;

export const job = {
  list: query({ input: z.strictObject({ limit: z.int().min(1).max(500).optional() }), output: z.array(JobRow) }),
  get: query({
    input: z.strictObject({ jobId: JobId }),
    /** `outputOf` (job-types.ts) gives the output its type. */
    output: JobRow.extend({ output: z.unknown(), events: z.array(JobEventRow) }),
  }),
  cancel: command({ input: z.strictObject({ jobId: JobId }), output: z.object({}) }),
  /** A new job with the same input; the old row stays as it ended. */
  retry: command({ input: z.strictObject({ jobId: JobId }), output: z.object({ jobId: JobId }) }),
};
export type JobEvents = { "job.changed": { job: JobRow } };
