import { MultiDirectedGraph } from "graphology";
import forceAtlas2Module from "graphology-layout-forceatlas2";
import type { ConceptRow, RelationRow } from "../../shared/contract/graph.ts";
import { createRandom } from "../../engine/lib/random.ts";
import { type Html, html } from "./html.ts";

// the package is CommonJS: under Node its default import is the function, while its types describe the module around it
const forceAtlas2 = forceAtlas2Module as unknown as (typeof forceAtlas2Module)["default"];

const SIZE = { width: 760, height: 520, margin: 60 };
const N_LAYOUT_STEPS = 400;

const COLOURS: Record<ConceptRow["type"], string> = {
  material: "#0f766e",
  structure: "#1d4ed8",
  property: "#b45309",
  process: "#6d28d9",
  method: "#0e7490",
  function: "#be185d",
  organism: "#4d7c0f",
  other: "#64748b",
};

type Placed = { concept: ConceptRow; x: number; y: number; radius: number; isNamed: boolean };

/** The knowledge graph as SVG, laid out by ForceAtlas2 from seeded positions: the same graph gives the same picture. */
export function graphPicture(concepts: readonly ConceptRow[], relations: readonly RelationRow[]): Html {
  if (concepts.length === 0) return html`<p class="muted">The graph is empty.</p>`;
  const placed = place(concepts, relations);
  const lines = relations.flatMap((relation) => {
    const from = placed.get(relation.sourceId);
    const to = placed.get(relation.targetId);
    return from && to ? [{ relation, from, to }] : [];
  });
  const types = [...new Set(concepts.map((concept) => concept.type))];
  return html`<figure>
    <svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="Knowledge graph">
      ${lines.map(({ relation, from, to }) => html`<line x1="${from.x}" y1="${from.y}" x2="${to.x}" y2="${to.y}" class="edge"><title>${from.concept.label} ${relation.type} ${to.concept.label}</title></line>`)}
      ${[...placed.values()].map(
        ({ concept, x, y, radius, isNamed }) =>
          html`<g>
            <circle cx="${x}" cy="${y}" r="${radius}" fill="${COLOURS[concept.type]}"
              ><title>${concept.label} (${concept.type}), ${concept.nEvidence} pieces of evidence</title></circle
            >
            ${isNamed ? html`<text x="${x}" y="${y - radius - 3}" class="label">${concept.label}</text>` : ""}
          </g>`,
      )}
    </svg>
    <p class="legend">${types.map((type) => html`<span><i style="background:${COLOURS[type]}"></i>${type}</span>`)}</p>
  </figure>`;
}

function place(concepts: readonly ConceptRow[], relations: readonly RelationRow[]): Map<string, Placed> {
  const random = createRandom("graph-picture");
  const graph = new MultiDirectedGraph();
  for (const concept of concepts) graph.addNode(concept.id, { x: random(), y: random() });
  for (const { sourceId, targetId } of relations) {
    if (graph.hasNode(sourceId) && graph.hasNode(targetId)) graph.addEdge(sourceId, targetId);
  }
  const settings = { ...forceAtlas2.inferSettings(graph), gravity: 2, strongGravityMode: true, adjustSizes: true };
  const positions = forceAtlas2(graph, { iterations: N_LAYOUT_STEPS, settings });
  const xs = Object.values(positions).map((position) => position["x"] ?? 0);
  const ys = Object.values(positions).map((position) => position["y"] ?? 0);
  const scale = (value: number, all: number[], length: number) => {
    const low = Math.min(...all);
    const span = Math.max(...all) - low || 1;
    return Math.round(SIZE.margin + ((value - low) / span) * (length - 2 * SIZE.margin));
  };
  const related = new Set(relations.flatMap(({ sourceId, targetId }) => [sourceId, targetId]));
  return new Map(
    concepts.map((concept) => {
      // a name for what is related or was met again; the others are dots with a name on hover
      const isNamed = related.has(concept.id) || concept.nEvidence > 1;
      const { x = 0, y = 0 } = positions[concept.id] ?? {};
      const radius = 3 + Math.min(7, Math.sqrt(concept.nEvidence) * 1.6);
      return [concept.id, { concept, x: scale(x, xs, SIZE.width), y: scale(y, ys, SIZE.height), radius, isNamed }];
    }),
  );
}
