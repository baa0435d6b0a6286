import type { Migration } from "../migrate.ts";

/** A stage has a name, an index and a loss; before, its loss was its name. */
export const migration: Migration = {
  id: 8,
  name: "stage",
  up(db) {
    for (const table of ["preference_pair", "training_run"]) {
      db.exec(`
        ALTER TABLE ${table} ADD COLUMN stage_index INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE ${table} ADD COLUMN loss TEXT NOT NULL DEFAULT '';
        UPDATE ${table} SET loss = stage, stage_index = COALESCE((
          SELECT MIN(entry.key) FROM experiment, json_each(experiment.recipe, '$.stages') AS entry
          WHERE experiment.id = ${table}.experiment_id AND json_extract(entry.value, '$.stage') = ${table}.stage
        ), 0);
      `);
    }
    // jobs that wait, or will be tried again, are read by the present schema
    db.exec(`
      UPDATE job SET input = json_set(input,
        '$.settings.loss', json_extract(input, '$.stage'),
        '$.stageIndex', COALESCE((
          SELECT MIN(entry.key) FROM experiment, json_each(experiment.recipe, '$.stages') AS entry
          WHERE experiment.id = json_extract(job.input, '$.experimentId')
            AND json_extract(entry.value, '$.stage') = json_extract(job.input, '$.stage')
        ), 0))
      WHERE type = 'training.run';
    `);
  },
};
