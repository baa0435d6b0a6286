/** Concepts and typed relations with the sentences that speak for them (METHOD §6). */
export { createGraph, type Graph, type GraphDeps, type GraphPair } from "./graph.ts";
