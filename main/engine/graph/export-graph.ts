import type { ConceptRow, EvidenceRow, RelationRow } from "../../shared/contract/graph.ts";

export type ExportedGraph = {
  concepts: ConceptRow[];
  relations: RelationRow[];
  /** Evidence by the id of the concept or relation that it speaks for. */
  evidence: ReadonlyMap<string, readonly EvidenceRow[]>;
};

/** http://graphml.graphdrawing.org: read by yEd, Gephi, Cytoscape and NetworkX. */
export function toGraphml({ concepts, relations, evidence }: ExportedGraph): string {
  const data = (key: string, value: string | number) => `<data key="${key}">${xml(String(value))}</data>`;
  const shared = (id: string) =>
    `${data("evidence", quotesOf(evidence, id))}${data("reasoning", reasonedOf(evidence, id))}`;
  const nodes = concepts.map(
    (concept) =>
      `    <node id="${xml(concept.id)}">${data("label", concept.label)}${data("type", concept.type)}${data("nEvidence", concept.nEvidence)}${data("firstRound", concept.firstRound)}${shared(concept.id)}</node>`,
  );
  const edges = relations.map(
    (relation) =>
      `    <edge id="${xml(relation.id)}" source="${xml(relation.sourceId)}" target="${xml(relation.targetId)}">${data("relation", relation.type)}${data("weight", relation.nEvidence)}${data("edgeFirstRound", relation.firstRound)}${data("edgeEvidence", quotesOf(evidence, relation.id))}${data("edgeReasoning", reasonedOf(evidence, relation.id))}</edge>`,
  );
  const key = (id: string, target: "node" | "edge", name: string, type: string) =>
    `  <key id="${id}" for="${target}" attr.name="${name}" attr.type="${type}"/>`;
  return lines([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    key("label", "node", "label", "string"),
    key("type", "node", "type", "string"),
    key("nEvidence", "node", "nEvidence", "int"),
    key("firstRound", "node", "firstRound", "int"),
    key("evidence", "node", "evidence", "string"),
    key("reasoning", "node", "reasoning", "string"),
    key("relation", "edge", "relation", "string"),
    key("weight", "edge", "weight", "double"),
    key("edgeFirstRound", "edge", "firstRound", "int"),
    key("edgeEvidence", "edge", "evidence", "string"),
    key("edgeReasoning", "edge", "reasoning", "string"),
    '  <graph id="concepts" edgedefault="directed">',
    ...nodes,
    ...edges,
    "  </graph>",
    "</graphml>",
  ]);
}

/** Gephi's own format with positions where the layout has been stored. Version 1.2, because NetworkX reads no newer one. */
export function toGexf({ concepts, relations }: ExportedGraph): string {
  const nodes = concepts.map(({ id, label, type, nEvidence, firstRound, x, y }) => {
    const position = x === null || y === null ? "" : `<viz:position x="${x}" y="${y}" z="0"/>`;
    const values = `<attvalues><attvalue for="0" value="${xml(type)}"/><attvalue for="1" value="${nEvidence}"/><attvalue for="2" value="${firstRound}"/></attvalues>`;
    return `      <node id="${xml(id)}" label="${xml(label)}">${values}${position}</node>`;
  });
  const edges = relations.map(
    ({ id, sourceId, targetId, type, nEvidence }) =>
      `      <edge id="${xml(id)}" source="${xml(sourceId)}" target="${xml(targetId)}" label="${xml(type)}" weight="${nEvidence}"/>`,
  );
  return lines([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<gexf xmlns="http://www.gexf.net/1.2draft" xmlns:viz="http://www.gexf.net/1.2draft/viz" version="1.2">',
    '  <graph defaultedgetype="directed" mode="static">',
    '    <attributes class="node">',
    '      <attribute id="0" title="type" type="string"/>',
    '      <attribute id="1" title="nEvidence" type="integer"/>',
    '      <attribute id="2" title="firstRound" type="integer"/>',
    "    </attributes>",
    "    <nodes>",
    ...nodes,
    "    </nodes>",
    "    <edges>",
    ...edges,
    "    </edges>",
    "  </graph>",
    "</gexf>",
  ]);
}

/** Everything, with all evidence: what the other formats have no place for. */
export function toJson({ concepts, relations, evidence }: ExportedGraph): string {
  const withEvidence = <T extends { id: string }>(rows: readonly T[]) =>
    rows.map((row) => ({ ...row, evidence: evidence.get(row.id) ?? [] }));
  return `${JSON.stringify({ concepts: withEvidence(concepts), relations: withEvidence(relations) }, null, 2)}\n`;
}

/** What the papers say, in their words. */
function quotesOf(evidence: ExportedGraph["evidence"], id: string): string {
  return unique((evidence.get(id) ?? []).flatMap(({ quote }) => quote ?? []));
}

/** What a model said without a sentence of the papers behind it. */
function reasonedOf(evidence: ExportedGraph["evidence"], id: string): string {
  return unique((evidence.get(id) ?? []).flatMap(({ quote, sentence }) => (quote === null ? sentence : [])));
}

function unique(sentences: string[]): string {
  return [...new Set(sentences)].join("\n");
}

/** For text and for attributes in double quotes. Characters that XML 1.0 does not allow at all are left out. */
export function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;")
    .replaceAll("\r", "&#13;")
    .replaceAll("\t", "&#9;");
}

function lines(all: string[]): string {
  return `${all.join("\n")}\n`;
}
