/** Concepts and typed relations with the sentences that speak for them (METHOD §6). */
export { createGraph, type Graph, type GraphDeps } from "./graph.ts";
export type { GraphPair } from "./sources/pair-thinking.ts";
