import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeDatabase, type Db, openDatabase } from "../../../main/engine/db/index.ts";
import { createGraph, type GraphPair } from "../../../main/engine/graph/index.ts";
import { createJobQueue, createJobStore, type JobQueue } from "../../../main/engine/jobs/index.ts";
import { newId } from "../../../main/engine/lib/ids.ts";
import { createSilentLogger } from "../../../main/engine/lib/logger.ts";
import type { StatementSpan } from "../../../main/shared/contract/preference.ts";
import { AppError } from "../../../main/shared/errors.ts";
import type { ChunkId, ConceptId, DocumentId, JobId, PairId, RelationId } from "../../../main/shared/ids.ts";

let dir: string;
let db: Db;
let pairs: GraphPair[];
let gone: Set<ChunkId>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-graph-"));
  db = openDatabase(dir);
  gone = new Set();
  pairs = [
    pairOf(1, ["Graphene improves the conductivity.", "Conductivity is a property of the cathode."]),
    pairOf(2, ["Graphene improves the conductivity.", "Annealing reduces the grain size."]),
  ];
});
afterEach(() => {
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});

const signal = new AbortController().signal;
const documentId = newId<DocumentId>();

/** Statements that each rest on the same words of a page. */
function pairOf(round: number, texts: string[], spans: StatementSpan[] | null = [spanOf()]): GraphPair {
  const statements = texts.map((text) => ({ text, spans }));
  return { id: newId<PairId>(), round, thinking: [{ name: "Reasoning Steps", statements }] };
}

function spanOf(): StatementSpan {
  return {
    chunkId: newId<ChunkId>(),
    documentId,
    page: 3,
    start: 10,
    end: 42,
    quote: "Graphene improves conductivity.",
  };
}

function openGraph() {
  let queue: JobQueue | undefined;
  const graph = createGraph({
    db,
    corpus: {
      chunkSpan(id) {
        if (gone.has(id)) throw new AppError("NOT_FOUND", "gone");
        return { documentId, title: "A paper", page: 3 };
      },
    },
    listPairsForGraph: () => pairs,
    clock: Date.now,
    emit: () => {},
    enqueue: (request) => queue!.enqueue(request),
  });
  queue = createJobQueue({
    store: createJobStore(db, Date.now),
    definitions: graph.jobs,
    log: createSilentLogger(),
    onChange: () => {},
  });
  queue.open();
  return { ...graph, queue };
}

async function view({ handlers }: ReturnType<typeof openGraph>) {
  const { concepts, relations } = await handlers.get({}, signal);
  const label = (id: string) => concepts.find((concept) => concept.id === id)?.label;
  return {
    concepts: concepts.map(({ label, nEvidence, firstRound }) => ({ label, nEvidence, firstRound })),
    relations: relations
      .map(
        (row) => `${label(row.sourceId)} ${row.type} ${label(row.targetId)} ×${row.nEvidence} from ${row.firstRound}`,
      )
      .toSorted(),
  };
}

test("pairs add up: evidence by pair, first round kept", async () => {
  const graph = openGraph();
  for (const pair of pairs) graph.api.addPairThinking(pair);
  const { concepts, relations } = await view(graph);
  expect(concepts).toContainEqual({ label: "graphene", nEvidence: 2, firstRound: 1 });
  expect(concepts).toContainEqual({ label: "grain size", nEvidence: 1, firstRound: 2 });
  expect(relations).toContain("graphene improves conductivity ×2 from 1");
  expect(relations).toContain("annealing reduces grain size ×1 from 2");
});

test("the same pair again changes nothing, and a pair with other thinking replaces what it said", async () => {
  const graph = openGraph();
  for (const pair of pairs) graph.api.addPairThinking(pair);
  const before = await view(graph);
  graph.api.addPairThinking(pairs[0]!);
  expect(await view(graph)).toEqual(before);
  graph.api.addPairThinking({
    ...pairs[1]!,
    thinking: [{ name: "Reasoning Steps", statements: [{ text: "Quenching prevents diffusion.", spans: [] }] }],
  });
  const after = await view(graph);
  expect(after.relations).toContain("quenching prevents diffusion ×1 from 2");
  expect(after.concepts.some(({ label }) => label === "grain size")).toBe(false);
});

test("a rebuild gives the same graph, keeps ids and positions, and forgets pairs that are gone", async () => {
  const graph = openGraph();
  for (const pair of pairs) graph.api.addPairThinking(pair);
  const before = await graph.handlers.get({}, signal);
  const graphene = before.concepts.find(({ label }) => label === "graphene")!;
  await graph.handlers.savePositions({ positions: [{ id: graphene.id as ConceptId, x: 3, y: -4 }] }, signal);
  await graph.queue.wait((await graph.handlers.build({}, signal)).jobId as JobId);
  const rebuilt = await graph.handlers.get({}, signal);
  expect(rebuilt.concepts.map(({ id }) => id)).toEqual(before.concepts.map(({ id }) => id));
  expect(rebuilt.concepts.find(({ id }) => id === graphene.id)).toMatchObject({ x: 3, y: -4 });
  pairs = pairs.slice(0, 1);
  await graph.queue.wait((await graph.handlers.build({}, signal)).jobId as JobId);
  expect((await view(graph)).relations).not.toContain("annealing reduces grain size ×1 from 2");
  expect((await view(graph)).relations).toContain("graphene improves conductivity ×1 from 1");
});

test("evidence leads to the sentence on the page, and stays when the document is gone", async () => {
  const graph = openGraph();
  graph.api.addPairThinking(pairs[0]!);
  const [row] = await evidenceOf(graph, "improves");
  expect(row).toMatchObject({
    sentence: "Graphene improves the conductivity.",
    basis: "papers",
    quote: "Graphene improves conductivity.",
    sourceKind: "pair",
    sourceId: pairs[0]!.id,
    section: "Reasoning Steps",
    title: "A paper",
    page: 3,
    start: 10,
    end: 42,
  });
  gone.add(row!.chunkId as ChunkId);
  const [orphan] = await evidenceOf(graph, "improves");
  expect(orphan).toMatchObject({ sentence: "Graphene improves the conductivity.", documentId: null, page: null });
});

test("what a model reasoned, and what nobody knows the source of, has no page", async () => {
  const graph = openGraph();
  graph.api.addPairThinking(pairOf(1, ["Annealing reduces the grain size."], []));
  graph.api.addPairThinking(pairOf(1, ["Quenching prevents diffusion."], null));
  const nowhere = { quote: null, chunkId: null, documentId: null, page: null, start: null, end: null };
  expect(await evidenceOf(graph, "reduces")).toMatchObject([{ basis: "model", ...nowhere }]);
  expect(await evidenceOf(graph, "prevents")).toMatchObject([{ basis: "unknown", ...nowhere }]);
});

test("a statement that rests on two sentences has both as evidence", async () => {
  const graph = openGraph();
  const [first, second] = [spanOf(), { ...spanOf(), page: 4, quote: "So graphene helps." }];
  graph.api.addPairThinking(pairOf(1, ["Graphene improves the conductivity."], [first, second]));
  const rows = await evidenceOf(graph, "improves");
  expect(rows.map(({ quote }) => quote)).toEqual([first.quote, second.quote]);
});

test("a statement counts once, however many sentences it rests on; said again in another section it counts again", async () => {
  const graph = openGraph();
  const text = "Graphene improves the conductivity.";
  const statement = { text, spans: [spanOf(), { ...spanOf(), page: 4 }, { ...spanOf(), page: 5 }] };
  const pair = pairOf(1, [text]);
  graph.api.addPairThinking({ ...pair, thinking: [{ name: "Reasoning Steps", statements: [statement] }] });
  const once = await view(graph);
  expect(once.relations).toEqual(["graphene improves conductivity ×1 from 1"]);
  expect(once.concepts.map(({ nEvidence }) => nEvidence)).toEqual([1, 1]);
  expect(await graph.handlers.stats({}, signal)).toMatchObject({ nEvidence: 3 });
  graph.api.addPairThinking({
    ...pair,
    thinking: ["Reasoning Steps", "Hypothesis"].map((name) => ({ name, statements: [statement] })),
  });
  expect((await view(graph)).relations).toEqual(["graphene improves conductivity ×2 from 1"]);
});

async function evidenceOf({ handlers }: ReturnType<typeof openGraph>, type: string) {
  const { relations } = await handlers.get({}, signal);
  const { id } = relations.find((relation) => relation.type === type)!;
  return handlers.evidence({ relationId: id as RelationId }, signal);
}

test("stats count what is there, and a path leads along relations either way", async () => {
  pairs = [
    pairOf(1, [
      "Graphene improves the conductivity.",
      "Annealing reduces the grain size.",
      "Sintering improves the conductivity.",
    ]),
  ];
  const graph = openGraph();
  graph.api.addPairThinking(pairs[0]!);
  const stats = await graph.handlers.stats({}, signal);
  expect(stats.byRelation.improves).toBe(2);
  expect(Object.values(stats.byType).reduce((sum, n) => sum + n, 0)).toBe(stats.nConcepts);
  const { concepts } = await graph.handlers.get({}, signal);
  const idOf = (label: string) => concepts.find((concept) => concept.label === label)!.id as ConceptId;
  const path = await graph.handlers.path({ fromId: idOf("graphene"), toId: idOf("sintering") }, signal);
  expect(path.conceptIds).toEqual([idOf("graphene"), idOf("conductivity"), idOf("sintering")]);
  expect(path.relationIds).toHaveLength(2);
  expect(await graph.handlers.path({ fromId: idOf("graphene"), toId: idOf("annealing") }, signal)).toEqual({
    conceptIds: [],
    relationIds: [],
  });
});

test("an export writes the file whole and says how much is in it", async () => {
  const graph = openGraph();
  graph.api.addPairThinking(pairs[1]!);
  const path = join(dir, "graph.graphml");
  const result = await graph.handlers.export({ path, format: "graphml" }, signal);
  const text = readFileSync(path, "utf8");
  expect(text.match(/<node /g)).toHaveLength(result.nConcepts);
  expect(text.match(/<edge /g)).toHaveLength(result.nRelations);
  await expect(async () => graph.handlers.export({ path: "graph.json", format: "json" }, signal)).rejects.toMatchObject(
    { code: "VALIDATION_FAILED" },
  );
});
