import Graph from "graphology";
import type { ConceptRow, ConceptType, RelationRow } from "../../../main/shared/contract/graph.ts";
import { nodeSize, startPosition } from "../../lib/graph-view.ts";
import { type LabelledNode, labelWidth } from "../../lib/spread-labels.ts";

export type NodeAttributes = {
  x: number;
  y: number;
  size: number;
  label: string;
  type: string;
  conceptType: ConceptType;
  firstRound: number;
};
export type EdgeAttributes = { size: number; weight: number; label: string; type: string; firstRound: number };
export type ConceptGraph = Graph<NodeAttributes, EdgeAttributes>;

export function labelledNodes(graph: ConceptGraph): LabelledNode[] {
  return graph.mapNodes((_, { x, y, size, label }) => ({ x, y, reach: size, width: labelWidth(label) }));
}

/** Beyond this many edges arrows and hover on edges cost more than they tell. */
export const MANY_EDGES = 2000;

export function createConceptGraph(): ConceptGraph {
  return new Graph<NodeAttributes, EdgeAttributes>({ type: "directed", multi: true });
}

/** Brings the graph to what the engine says, keeping the place of every node that stays. True when a new one needs a place. */
export function syncGraph(
  graph: ConceptGraph,
  concepts: readonly ConceptRow[],
  relations: readonly RelationRow[],
): boolean {
  const conceptIds = new Set<string>(concepts.map(({ id }) => id));
  const relationIds = new Set<string>(relations.map(({ id }) => id));
  for (const edge of graph.edges()) if (!relationIds.has(edge)) graph.dropEdge(edge);
  for (const node of graph.nodes()) if (!conceptIds.has(node)) graph.dropNode(node);

  const most = Math.max(1, ...concepts.slice(0, 50_000).map(({ nEvidence }) => nEvidence));
  let needsLayout = false;
  for (const [i, concept] of concepts.entries()) {
    const { id, label, type, nEvidence, firstRound, x, y } = concept;
    const look = {
      label,
      type: "circle",
      conceptType: type,
      firstRound,
      size: nodeSize(nEvidence, most, concepts.length),
    };
    if (graph.hasNode(id)) {
      graph.mergeNodeAttributes(id, look);
      continue;
    }
    const hasPlace = x !== null && y !== null;
    needsLayout ||= !hasPlace;
    graph.addNode(id, { ...look, ...(hasPlace ? { x, y } : startPosition(i)) });
  }

  const type = relations.length > MANY_EDGES ? "fast" : "arrow";
  for (const { id, sourceId, targetId, type: label, nEvidence, firstRound } of relations) {
    if (!graph.hasNode(sourceId) || !graph.hasNode(targetId)) continue;
    const look = { label, type, firstRound, weight: nEvidence, size: Math.min(4, 1.5 + Math.log2(nEvidence) / 2) };
    if (graph.hasEdge(id)) graph.mergeEdgeAttributes(id, look);
    else graph.addDirectedEdgeWithKey(id, sourceId, targetId, look);
  }
  return needsLayout;
}
