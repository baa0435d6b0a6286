import type { Migration } from "../migrate.ts";

export const migration: Migration = {
  id: 9,
  name: "training-data",
  up(db) {
    db.exec(`
      -- the marker set that both responses are written with, as JSON; null is the default set
      ALTER TABLE preference_pair ADD COLUMN markers TEXT;
      -- of an imported pair: the whole prompt when it is more than the question, or the pair as token ids
      ALTER TABLE preference_pair ADD COLUMN messages TEXT;
      ALTER TABLE preference_pair ADD COLUMN tokens TEXT;

      UPDATE preference_pair SET markers = (
        SELECT json_extract(recipe, '$.markers') FROM experiment WHERE experiment.id = preference_pair.experiment_id
      );

      -- what of a run's pairs could not be used as asked, counted by kind
      ALTER TABLE training_run ADD COLUMN pair_problems TEXT NOT NULL DEFAULT '[]';
      -- what was asked for, so that the same request finds its unfinished run
      ALTER TABLE training_run ADD COLUMN request_key TEXT;

      -- the marker set of the pairs that an adapter was trained on; null is not known
      ALTER TABLE adapter ADD COLUMN markers TEXT;
    `);
  },
};
