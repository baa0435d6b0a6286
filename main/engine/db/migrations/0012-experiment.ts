import type { Migration } from "../migrate.ts";

/** What an experiment is known by, and what became of its recipe. */
export const migration: Migration = {
  id: 12,
  name: "experiment",
  up(db) {
    db.exec(`
      -- the recipe's name, and where it came from: the name of one that comes with the program, or a file's path
      ALTER TABLE experiment ADD COLUMN name TEXT NOT NULL DEFAULT '';
      ALTER TABLE experiment ADD COLUMN source TEXT;
      -- of the file as it was when the experiment began; unknown for experiments that are older than this column
      ALTER TABLE experiment ADD COLUMN source_sha256 TEXT;
      -- what upgrades of the recipe changed, in words, as JSON
      ALTER TABLE experiment ADD COLUMN changes TEXT NOT NULL DEFAULT '[]';
      -- the model files that the roles were found to be, as JSON; null until the experiment has looked
      ALTER TABLE experiment ADD COLUMN models TEXT;

      UPDATE experiment SET
        name = COALESCE(json_extract(recipe, '$.name'), ''),
        source = (
          SELECT json_extract(job.input, '$.recipe') FROM job
          WHERE job.type = 'experiment.run' AND json_extract(job.input, '$.key') = experiment.key LIMIT 1
        );

      -- rounds that wait may come to fewer pairs than asked for; whether they are enough the experiment decides
      UPDATE job SET input = json_set(input, '$.minAccepted', 1)
      WHERE type = 'preference.generate' AND idempotency_key LIKE '%/pairs';
    `);
  },
};
