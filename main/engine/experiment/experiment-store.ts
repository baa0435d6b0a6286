import type { JobStatus } from "../../shared/contract/job.ts";
import { type ExperimentRow, Keep } from "../../shared/contract/training.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Recipe } from "../recipe/index.ts";
import type { Db } from "../db/index.ts";

type Row = {
  id: string;
  key: string;
  name: string;
  source: string | null;
  source_sha256: string | null;
  changes: string;
  created_at: number;
  roles: string | null;
  keep: string | null;
  job_id: string;
  status: string;
};

export type KnownExperiment = ExperimentRow & {
  sourceSha256: string | null;
  /** Models by the references that the recipe or the caller named them with. */
  roles: Partial<Recipe["roles"]>;
  keep: Keep;
};
export type ExperimentList = ReturnType<typeof createExperimentList>;

/** Runs of recipes, newest first, each with the newest job that works on it. */
export function createExperimentList(db: Db) {
  const selectAll = db.prepare<[], Row>(`
    SELECT experiment.id, experiment.key, experiment.name, experiment.source, experiment.source_sha256,
      experiment.changes, experiment.created_at, json_extract(experiment.recipe, '$.roles') AS roles, json_extract(experiment.recipe, '$.keep') AS keep,
      job.id AS job_id, job.status
    FROM experiment JOIN job ON job.id = (
      SELECT id FROM job WHERE type = 'experiment.run' AND json_extract(input, '$.key') = experiment.key
      ORDER BY queued_at DESC, id DESC LIMIT 1
    )
    ORDER BY experiment.created_at DESC, experiment.id DESC`);
  return {
    all: (): KnownExperiment[] =>
      selectAll.all().map((row) => ({
        experimentId: row.id,
        key: row.key,
        recipe: row.name,
        source: row.source,
        sourceSha256: row.source_sha256,
        changes: JSON.parse(row.changes) as string[],
        roles: row.roles === null ? {} : (JSON.parse(row.roles) as Recipe["roles"]),
        // a recipe of version 1 that nothing has opened since kept everything
        keep: Keep.catch("all").parse(row.keep),
        jobId: row.job_id as JobId,
        status: row.status as JobStatus,
        createdAt: row.created_at,
      })),
  };
}
