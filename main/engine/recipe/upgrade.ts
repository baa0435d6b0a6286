import { LOSSES } from "../../shared/loss.ts";

export type Upgraded = {
  recipe: unknown;
  /** What is different now, in words; empty when the recipe was of the present version. */
  changes: string[];
};

/** A recipe of any earlier version as one of the present. What it cannot make sense of is left for the schema to name. */
export function upgradeRecipe(recipe: unknown): Upgraded {
  return isObject(recipe) && recipe["version"] === 1 ? fromVersion1(recipe) : { recipe, changes: [] };
}

/** Version 1 knew a stage by its loss. */
function fromVersion1(recipe: Record<string, unknown>): Upgraded {
  const changes = [
    "a stage has a name of its own, and its loss is a setting (name, loss)",
    "a round that comes to fewer pairs than asked for trains on them when they are at least half (minPairsShare: 0.5); before, the whole run was given up",
    "every round's adapter is kept, as before (keep: all); keep: stages would keep the last one of each stage",
  ];
  const names = new Set<string>();
  const stages = Array.isArray(recipe["stages"])
    ? recipe["stages"].map((stage: unknown) => (isObject(stage) ? namedStage(stage, names, changes) : stage))
    : recipe["stages"];
  return { recipe: { ...recipe, version: 2, stages, minPairsShare: 0.5, keep: "all" }, changes };
}

function namedStage(stage: Record<string, unknown>, names: Set<string>, changes: string[]): Record<string, unknown> {
  const { stage: loss, label_smoothing, ...settings } = stage;
  const first = String(loss);
  let name = first;
  for (let i = 2; names.has(name); i++) name = `${first}-${i}`;
  names.add(name);
  if (name !== first)
    changes.push(
      `another stage with the loss ${first} is called ${name}; before, it took the pairs and runs of ${first}`,
    );
  const hasSmoothing = isLoss(first) && (LOSSES[first].settings as readonly string[]).includes("label_smoothing");
  if (!hasSmoothing && label_smoothing !== undefined && label_smoothing !== 0)
    changes.push(`label_smoothing is left out of ${name}: ${first.toUpperCase()} never used it`);
  const smoothing = hasSmoothing && label_smoothing !== undefined ? { label_smoothing } : {};
  return { name, loss, ...settings, ...smoothing };
}

function isLoss(name: string): name is keyof typeof LOSSES {
  return Object.hasOwn(LOSSES, name);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
