import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { UsedFile } from "./generate/provenance.ts";

/** One whole run of a recipe; `pairs generate` makes one of a single round, an import one without a recipe. */
export type NewExperiment = {
  id: string;
  /** The caller's own name for it: the same key goes on where it was. */
  key: string;
  recipe: unknown;
  /** The recipe's own name. */
  name: string;
  /** Where the recipe came from; null for one that is no file. */
  source: string | null;
  sourceSha256: string | null;
  /** What an upgrade of the recipe changed, in words. */
  changes: string[];
};
export type StoredExperiment = NewExperiment & { createdAt: number };
export type ExperimentStore = ReturnType<typeof createExperimentStore>;

type Row = {
  id: string;
  key: string;
  recipe: string;
  name: string;
  source: string | null;
  source_sha256: string | null;
  changes: string;
  created_at: number;
};
const COLUMNS = "id, key, recipe, name, source, source_sha256, changes, created_at";

export function createExperimentStore(db: Db, clock: Clock) {
  const insert = db.prepare(`
    INSERT OR IGNORE INTO experiment (id, key, recipe, name, source, source_sha256, changes, created_at)
    VALUES (@id, @key, @recipe, @name, @source, @sourceSha256, @changes, @createdAt)`);
  const selectById = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM experiment WHERE id = ?`);
  const updateRecipe = db.prepare("UPDATE experiment SET recipe = @recipe, changes = @changes WHERE id = @id");
  const updateModels = db.prepare("UPDATE experiment SET models = @models WHERE id = @id");

  return {
    /** Keeps the recipe that the experiment began with when the id is known already. */
    open(experiment: NewExperiment): void {
      const { recipe, changes, ...columns } = experiment;
      insert.run({
        ...columns,
        recipe: JSON.stringify(recipe),
        changes: JSON.stringify(changes),
        createdAt: clock(),
      });
    },
    get: (id: string) => mapRow(selectById.get(id)),
    /** The same recipe in another form, after an upgrade. */
    setRecipe(id: string, recipe: unknown, changes: string[]): void {
      updateRecipe.run({ id, recipe: JSON.stringify(recipe), changes: JSON.stringify(changes) });
    },
    /** Which files the roles of the recipe were found to be. */
    setModels(id: string, models: Record<string, UsedFile>): void {
      updateModels.run({ id, models: JSON.stringify(models) });
    },
  };
}

function mapRow(row: Row | undefined): StoredExperiment | undefined {
  return (
    row && {
      id: row.id,
      key: row.key,
      recipe: JSON.parse(row.recipe) as unknown,
      name: row.name,
      source: row.source,
      sourceSha256: row.source_sha256,
      changes: JSON.parse(row.changes) as string[],
      createdAt: row.created_at,
    }
  );
}
