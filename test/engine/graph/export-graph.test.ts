import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExportedGraph, toGexf, toGraphml, toJson, xml } from "../../../main/engine/graph/export-graph.ts";
import type { EvidenceRow } from "../../../main/shared/contract/graph.ts";
import type { ConceptId, RelationId } from "../../../main/shared/ids.ts";

function graphOf(label: string, sentence = "A sentence."): ExportedGraph {
  const concept = (id: string, label: string) => ({
    id: id as ConceptId,
    label,
    type: "material" as const,
    nEvidence: 1,
    firstRound: 1,
    x: 0.5,
    y: null,
  });
  const evidence: EvidenceRow = {
    sentence,
    basis: "papers",
    quote: sentence,
    sourceKind: "pair",
    sourceId: "p",
    section: null,
    chunkId: null,
    documentId: null,
    title: null,
    page: null,
    start: null,
    end: null,
    round: 1,
    createdAt: 0,
  };
  return {
    concepts: [concept("a", label), { ...concept("b", "other"), y: 2 }],
    relations: [
      {
        id: "r" as RelationId,
        sourceId: "a" as ConceptId,
        targetId: "b" as ConceptId,
        type: "is a",
        nEvidence: 2,
        firstRound: 1,
      },
    ],
    evidence: new Map([
      ["a", [evidence]],
      ["r", [evidence]],
    ]),
  };
}

/** A small strict reader: throws on anything that is not balanced, quoted and escaped XML. */
function readXml(text: string): { name: string; attributes: Record<string, string>; text: string }[] {
  const elements: { name: string; attributes: Record<string, string>; text: string }[] = [];
  const open: number[] = [];
  const body = text.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, "");
  for (const [token] of body.matchAll(/<[^>]*>|[^<]+/g)) {
    if (!token.startsWith("<")) {
      if (open.length > 0) elements[open.at(-1)!]!.text += unescapeXml(token);
      continue;
    }
    const match = /^<(\/?)([\w:]+)((?:\s+[\w.:]+="[^"<]*")*)\s*(\/?)>$/.exec(token);
    if (!match) throw new Error(`not XML: ${token}`);
    const [, isEnd, name, attributes, isEmpty] = match;
    if (isEnd) {
      if (elements[open.pop() ?? -1]?.name !== name) throw new Error(`unbalanced ${name}`);
      continue;
    }
    const pairs = [...attributes!.matchAll(/([\w.:]+)="([^"]*)"/g)].map(([, key, value]) => [
      key!,
      unescapeXml(value!),
    ]);
    elements.push({ name: name!, attributes: Object.fromEntries(pairs) as Record<string, string>, text: "" });
    if (!isEmpty) open.push(elements.length - 1);
  }
  if (open.length > 0) throw new Error("not closed");
  return elements;
}

function unescapeXml(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(text)) throw new Error(`bare ampersand: ${text}`);
  return text
    .replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

const NOT_ALLOWED = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

describe("XML", () => {
  test("any label and sentence comes back as it was, without the characters that XML has no place for", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (label, sentence) => {
        const graph = graphOf(label, sentence);
        const node = readXml(toGexf(graph)).find(({ attributes }) => attributes.id === "a")!;
        expect(node.attributes.label).toBe(label.replaceAll(NOT_ALLOWED, ""));
        const data = readXml(toGraphml(graph)).filter(({ name }) => name === "data");
        expect(data.find(({ attributes }) => attributes.key === "label")!.text).toBe(label.replaceAll(NOT_ALLOWED, ""));
        expect(data.find(({ attributes }) => attributes.key === "evidence")!.text).toBe(
          sentence.replaceAll(NOT_ALLOWED, ""),
        );
      }),
    );
  });

  test("every data element has a declared key", () => {
    const elements = readXml(toGraphml(graphOf('β″-Mg2Si <alloy> & "more"')));
    const keys = new Set(elements.filter(({ name }) => name === "key").map(({ attributes }) => attributes.id));
    const used = elements.filter(({ name }) => name === "data").map(({ attributes }) => attributes.key);
    expect(used.length).toBeGreaterThan(5);
    expect(used.every((key) => keys.has(key))).toBe(true);
  });

  test("a position is written only where both of its numbers are known", () => {
    expect(readXml(toGexf(graphOf("x"))).filter(({ name }) => name === "viz:position")).toHaveLength(1);
  });

  test("control characters and lone surrogates are left out", () => expect(xml("a\u0000b\ud800c<")).toBe("abc&lt;"));
});

test("what the papers say and what a model reasoned are two attributes", () => {
  const graph = graphOf("x", "The paper says so.");
  const [quoted] = graph.evidence.get("a")!;
  const reasoned: EvidenceRow = { ...quoted!, basis: "model", quote: null, sentence: "So it must be." };
  const both = { ...graph, evidence: new Map([["a", [quoted!, reasoned]]]) };
  const data = readXml(toGraphml(both)).filter(({ name, text }) => name === "data" && text !== "");
  const textOf = (key: string) => data.filter(({ attributes }) => attributes.key === key).map(({ text }) => text);
  expect(textOf("evidence")).toEqual(["The paper says so."]);
  expect(textOf("reasoning")).toEqual(["So it must be."]);
});

test("JSON keeps all evidence", () => {
  const graph = JSON.parse(toJson(graphOf("x"))) as {
    concepts: { evidence: unknown[] }[];
    relations: { evidence: { sentence: string }[] }[];
  };
  expect(graph.relations[0]!.evidence[0]!.sentence).toBe("A sentence.");
  expect(graph.concepts[1]!.evidence).toEqual([]);
});
