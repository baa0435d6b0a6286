/** Recursive inference (METHOD §5): think, criticise, improve, answer again, and the record of what each iteration changed. */
export { createReflection, type Reflection } from "./reflection.ts";
export type { ReflectionDeps } from "./types.ts";
