export { createGraph, type Graph, type GraphDeps, type GraphPair } from "./graph.ts";
