import forceAtlas2, { inferSettings } from "graphology-layout-forceatlas2";
import FA2Layout from "graphology-layout-forceatlas2/worker";
import { ALL_LABELS_SHOWN, layoutBudgetMs } from "../../lib/graph-view.ts";
import { spreadLabels } from "../../lib/spread-labels.ts";
import { labelledNodes, type ConceptGraph } from "./build-graph.ts";

/** Up to here every step together takes less time than starting a worker, and the picture is the same on any machine. */
const FEW_CONCEPTS = 400;
const N_STEPS = 800;

/**
 * ForceAtlas2: small graphs at once and in full, large ones in a worker, for a time that the size of the graph decides: it never comes to rest by itself, and a
 * picture that keeps trembling cannot be read. Returns the function that ends it early; `onDone` is called only at
 * the end of the time.
 */
export function runLayout(graph: ConceptGraph, onDone: () => void): () => void {
  if (graph.order <= FEW_CONCEPTS) {
    forceAtlas2.assign(graph, { iterations: N_STEPS, settings: settingsFor(graph) });
    if (graph.order <= ALL_LABELS_SHOWN) makeRoomForLabels(graph);
    const timer = window.setTimeout(onDone);
    return () => window.clearTimeout(timer);
  }
  const layout = new FA2Layout(graph, { settings: settingsFor(graph) });
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

function makeRoomForLabels(graph: ConceptGraph): void {
  const places = spreadLabels(labelledNodes(graph));
  graph.nodes().forEach((id, i) => graph.mergeNodeAttributes(id, places[i]!));
}

function settingsFor(graph: ConceptGraph) {
  const isSmall = graph.order <= FEW_CONCEPTS;
  return {
    ...inferSettings(graph),
    // strong gravity keeps concepts without relations, which are many in a young graph, from drifting to the rim
    strongGravityMode: isSmall,
    gravity: isSmall ? 0.06 : 1,
    scalingRatio: isSmall ? 40 : 8,
    slowDown: 4,
    barnesHutOptimize: graph.order > 800,
  };
}
