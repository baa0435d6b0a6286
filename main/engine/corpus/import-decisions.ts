import type { DocumentId, JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";

/** What an import job decided about one file, when it looked at it. */
export type Decision =
  | { path: string; kind: "document"; documentId: DocumentId }
  | { path: string; kind: "duplicate"; documentId: DocumentId }
  | { path: string; kind: "failed"; reason: string };

export const DECISION_EVENT = "file";

/**
 * The decisions that this job wrote into its history before it was interrupted. Without them a second attempt would
 * take its own documents for duplicates.
 */
export function decisionsOf(db: Db, jobId: JobId): Decision[] {
  return db
    .prepare<[string, string], { payload: string }>(
      "SELECT payload FROM job_event WHERE job_id = ? AND kind = ? ORDER BY seq",
    )
    .all(jobId, DECISION_EVENT)
    .map((row) => JSON.parse(row.payload) as Decision);
}
