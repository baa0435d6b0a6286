import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { loadPromptSet } from "../../../main/engine/asking/index.ts";
import { loadRecipe, readRecipe, rejectedOf, stageOf } from "../../../main/engine/recipe/index.ts";
import { readFileSync } from "node:fs";

const resourcesDir = join(import.meta.dirname, "../../../resources");
const recipesDir = join(resourcesDir, "recipes");
const dir = mkdtempSync(join(tmpdir(), "preflexor-recipe-"));
afterAll(() => rmSync(dir, { recursive: true }));

const shipped = readdirSync(recipesDir).map((file) => file.replace(/\.yaml$/, ""));

test("the three recipes come with the program", () => {
  expect(shipped.toSorted()).toEqual(["demo", "paper", "workstation"]);
});

test.each(shipped)("%s is valid, and its prompt set has every task that it needs", (name) => {
  const recipe = loadRecipe(name, recipesDir);
  expect(recipe.name).toBe(name);
  const promptSet = loadPromptSet(join(resourcesDir, "prompts"), recipe.promptSet!);
  const tasks = ["question", "answer", ...recipe.stages.map((stage) => `rejected-${rejectedOf(stage)}`)];
  if (promptSet.style === "grammar") tasks.push("thinking");
  else tasks.push("step", ...recipe.sections.flatMap(({ task }) => task ?? []));
  for (const task of tasks) expect(promptSet.task(task).messages.at(-1)?.role).toBe("user");
});

test("the paper's recipe has the published numbers", () => {
  const [orpo, exo] = loadRecipe("paper", recipesDir).stages;
  expect(orpo).toMatchObject({
    rounds: 50,
    pairsPerRound: 50,
    beta: 0.1,
    learning_rate: 5e-5,
    max_grad_norm: 1,
    lora: { r: 64, alpha: 64, dropout: 0.1 },
  });
  expect(exo).toMatchObject({
    beta: 0.1,
    label_smoothing: 5e-3,
    learning_rate: 5e-7,
    max_grad_norm: 0.3,
    mask: "answer_only",
  });
});

type Draft = Record<string, never> & { stages: Record<string, unknown>[]; sections: Record<string, unknown>[] };

function load(change: (recipe: Draft) => void): unknown {
  const recipe = parse(readFileSync(join(recipesDir, "demo.yaml"), "utf8")) as Draft;
  change(recipe);
  const path = join(dir, "recipe.yaml");
  writeFileSync(path, stringify(recipe));
  return loadRecipe(path, recipesDir);
}

test.each<[string, RegExp, (recipe: Draft) => void]>([
  ["an unknown key", /learning_rte/, (recipe) => Object.assign(recipe.stages[0]!, { learning_rte: 1 })],
  ["EXO without label smoothing", /EXO needs label_smoothing/, (recipe) => delete recipe.stages[1]!["label_smoothing"]],
  [
    "adapters of different rank",
    /lora r, alpha and targets must be the same/,
    (recipe) => Object.assign(recipe.stages[1]!, { lora: { r: 4, alpha: 16, dropout: 0, targets: ["q"] } }),
  ],
  [
    "a line section without a task",
    /a task goes with the kind line/,
    (recipe) => Object.assign(recipe.sections[0]!, { kind: "line" }),
  ],
  [
    "label smoothing of a loss that has none",
    /label_smoothing is no setting of ORPO/,
    (recipe) => Object.assign(recipe.stages[0]!, { label_smoothing: 0.1 }),
  ],
  [
    "a setting beside a sum of losses",
    /beta stands beside a sum of losses/,
    (recipe) => Object.assign(recipe.stages[0]!, { loss: [{ name: "dpo", weight: 1, beta: 0.1 }] }),
  ],
  ["an unknown loss", /loss/, (recipe) => Object.assign(recipe.stages[0]!, { loss: "ppo" })],
  [
    "two stages of one name",
    /two stages are called ORPO/,
    (recipe) => Object.assign(recipe.stages[1]!, { name: "ORPO" }),
  ],
  ["a name that is no file's", /name/, (recipe) => Object.assign(recipe.stages[0]!, { name: "../orpo" })],
  ["a newer version", /version/, (recipe) => Object.assign(recipe, { version: 3 })],
  ["no stage", /stages/, (recipe) => Object.assign(recipe, { stages: [] })],
  ["an unknown mask", /mask/, (recipe) => Object.assign(recipe.stages[0]!, { mask: "half" })],
])("%s is refused by name", (_, message, change) => {
  expect(() => load(change)).toThrow(
    expect.objectContaining({ code: "VALIDATION_FAILED", message: expect.stringMatching(message) }),
  );
});

test("a missing recipe names those that exist, and broken YAML says where", () => {
  expect(() => loadRecipe("nonesuch", recipesDir)).toThrow(
    expect.objectContaining({ code: "NOT_FOUND", hint: expect.stringContaining("demo") }),
  );
  const path = join(dir, "broken.yaml");
  writeFileSync(path, "version: 1\nname: [unclosed\n");
  expect(() => loadRecipe(path, recipesDir)).toThrow(
    expect.objectContaining({ code: "VALIDATION_FAILED", message: expect.stringContaining("line") }),
  );
});

test("three stages may share a loss; each is found by its name, and the first by the loss", () => {
  const recipe = load(({ stages }) => {
    const [orpo] = stages;
    stages.splice(0, stages.length, ...["whole", "half", "answers"].map((name) => ({ ...orpo, name })));
  }) as ReturnType<typeof loadRecipe>;
  expect(stageOf(recipe, "answers")).toMatchObject({ index: 2, name: "answers", loss: "orpo" });
  expect(stageOf(recipe, "orpo")).toMatchObject({ index: 0, name: "whole" });
  expect(() => stageOf(recipe, "exo")).toThrow(
    expect.objectContaining({
      code: "VALIDATION_FAILED",
      hint: "Choose one of its stages: whole (orpo), half (orpo), answers (orpo).",
    }),
  );
});

test("a weighted sum of losses is a loss, and needs a reference when one of them does", () => {
  const sum = [
    { name: "dpo", weight: 1, beta: 0.1 },
    { name: "sft", weight: 0.2 },
  ];
  const recipe = load(({ stages }) => {
    delete stages[0]!["beta"];
    Object.assign(stages[0]!, { name: "anchored", loss: sum });
  }) as ReturnType<typeof loadRecipe>;
  expect(recipe.stages[0]!.loss).toEqual(sum);
  expect(rejectedOf(recipe.stages[0]!)).toBe("thinking");
  expect(stageOf(recipe, "sft").name).toBe("anchored");
});

test("a recipe of version 1 is upgraded, and says what changed", () => {
  const path = join(import.meta.dirname, "../../fixtures/workspaces/0.1.0/recipe.yaml");
  const { recipe, changes } = readRecipe(path, recipesDir);
  expect(recipe).toMatchObject({ version: 2, minPairsShare: 0.5, keep: "all" });
  expect(recipe.stages).toMatchObject([
    { name: "orpo", loss: "orpo", rounds: 2, mask: "none" },
    { name: "exo", loss: "exo", label_smoothing: 5e-3, mask: "answer_only" },
  ]);
  expect(recipe.stages.map(rejectedOf)).toEqual(["direct", "thinking"]);
  expect(changes).toEqual([
    expect.stringContaining("a stage has a name of its own"),
    expect.stringContaining("minPairsShare: 0.5"),
    expect.stringContaining("keep: all"),
  ]);
  expect(readRecipe("demo", recipesDir).changes).toEqual([]);
});

test("stages of version 1 with the same loss get names of their own", () => {
  const old = parse(
    readFileSync(join(import.meta.dirname, "../../fixtures/workspaces/0.1.0/recipe.yaml"), "utf8"),
  ) as Draft;
  const stages = [old.stages[0]!, { ...old.stages[0]!, mask: "answer_only", label_smoothing: 0.1 }, old.stages[1]!];
  const path = join(dir, "old.yaml");
  writeFileSync(path, stringify({ ...old, stages }));
  const { recipe, changes } = readRecipe(path, recipesDir);
  expect(recipe.stages.map(({ name, loss }) => [name, loss])).toEqual([
    ["orpo", "orpo"],
    ["orpo-2", "orpo"],
    ["exo", "exo"],
  ]);
  expect(changes).toContainEqual(expect.stringContaining("another stage with the loss orpo is called orpo-2"));
  expect(changes).toContainEqual(expect.stringContaining("label_smoothing is left out of orpo-2"));
});
