/**
 * The experiment as data (METHOD §§3–4): reasoning schema, markers, roles, filters with their numbers, retrieval, stages
 * with their loss and LoRA settings, seeds. A recipe is read, checked and handed on; it runs nothing itself.
 */
export { type Filters, loadRecipe, Mask, parseRecipe, Recipe, type Section, type StageRecipe } from "./recipe.ts";
