export { createReflection, type Reflection } from "./reflection.ts";
export type { ReflectionDeps } from "./types.ts";
