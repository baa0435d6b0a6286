export { createModels, type ModelDeps, type Models } from "./models.ts";
export { defaultModelCacheDir } from "./cache-dir.ts";
export type { ResolvedModel } from "./registry.ts";
