/**
 * The experiment as data (METHOD §§3–4): reasoning schema, markers, roles, filters with their numbers, retrieval, stages
 * with their loss and LoRA settings, seeds. A recipe is read, upgraded when old, checked and handed on; it runs nothing.
 */
export type { Filters } from "./filters.ts";
export { checkRecipe, loadRecipe, readRecipe, type RecipeFile, recipeSha256, recipeSource } from "./load.ts";
export { Lora } from "./lora.ts";
export type { Recipe } from "./recipe.ts";
export type { Section } from "./sections.ts";
export { lossConfig, type PlacedStage, type Rejected, rejectedOf, stageOf, type StageRecipe } from "./stage.ts";
