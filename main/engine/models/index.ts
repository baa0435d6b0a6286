/** Base models and adapters by name: the catalogue, files and their facts, downloads that were asked for. */
export { createModels, type ModelDeps, type Models } from "./models.ts";
export { defaultModelCacheDir } from "./cache-dir.ts";
export type { Inspector, ResolvedModel } from "./registry.ts";
export { cardPathOf } from "./card-markers.ts";
