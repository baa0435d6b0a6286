import { inferSettings } from "graphology-layout-forceatlas2";
import FA2Layout from "graphology-layout-forceatlas2/worker";
import { layoutBudgetMs } from "../../lib/graph-view.ts";
import type { ConceptGraph } from "./build-graph.ts";

/**
 * ForceAtlas2 in a worker, for a time that the size of the graph decides: it never comes to rest by itself, and a
 * picture that keeps trembling cannot be read. Returns the function that ends it early; `onDone` is called only at
 * the end of the time.
 */
export function runLayout(graph: ConceptGraph, onDone: () => void): () => void {
  const layout = new FA2Layout(graph, {
    settings: {
      ...inferSettings(graph),
      gravity: 1,
      scalingRatio: graph.order < 200 ? 14 : 8,
      slowDown: 4,
      adjustSizes: graph.order < 1000,
      barnesHutOptimize: graph.order > 800,
    },
  });
  layout.start();
  const timer = window.setTimeout(() => {
    layout.kill();
    onDone();
  }, layoutBudgetMs(graph.order));
  return () => {
    window.clearTimeout(timer);
    layout.kill();
  };
}
