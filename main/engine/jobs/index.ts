/** Every long thing is a job: SQLite is the truth, what a crash leaves running is queued again, a pipeline waits for children. */
export { defineJob, type EnqueueRequest, type JobContext, type JobDefinition } from "./definition.ts";
export { createJobQueue, type JobQueue } from "./job-queue.ts";
export { createJobStore } from "./job-store.ts";
