import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { loadPromptSet } from "../../../main/engine/asking/index.ts";
import { loadRecipe } from "../../../main/engine/recipe/index.ts";
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
  const promptSet = loadPromptSet(join(resourcesDir, "prompts"), recipe.promptSet);
  const tasks = ["question", "answer", ...recipe.stages.map(({ stage }) => `rejected-${stage}`)];
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
  [
    "EXO without label smoothing",
    /EXO needs a label_smoothing/,
    (recipe) => Object.assign(recipe.stages[1]!, { label_smoothing: 0 }),
  ],
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
  ["a newer version", /version/, (recipe) => Object.assign(recipe, { version: 2 })],
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
