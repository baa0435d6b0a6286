/** Recursive inference (METHOD §5): think, criticise, improve, answer again, and the record of what each iteration changed. */
export { createReflection, type Reflection } from "./reflection.ts";
export type { Asker, Reading } from "./asker.ts";
export type { Reviser } from "./revision.ts";
export type { Similarity } from "./similarity.ts";
export type { PointOutcome, ReflectionDeps, Revision, Situation } from "./types.ts";
