export { defineJob, type EnqueueRequest, type JobContext, type JobDefinition } from "./definition.ts";
export { createJobQueue, type JobQueue } from "./job-queue.ts";
export { createJobStore } from "./job-store.ts";
