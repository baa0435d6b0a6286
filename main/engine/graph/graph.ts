import { JobInputs } from "../../shared/contract/job-types.ts";
import { isAbsolute } from "node:path";
import type { EvidenceRow } from "../../shared/contract/graph.ts";
import type { EngineHandlers } from "../../shared/contract/index.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { ChunkId, DocumentId, JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Emit } from "../lib/events.ts";
import { defineJob, type JobDefinition } from "../jobs/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import type { Clock } from "../lib/clock.ts";
import { writeFileAtomic } from "../lib/files.ts";
import { toGexf, toGraphml, toJson } from "./export-graph.ts";
import { createGraphStore, type StoredEvidence } from "./graph-store.ts";
import { shortestPath } from "./shortest-path.ts";
import { type GraphPair, readPairThinking } from "./sources/pair-thinking.ts";

export type GraphDeps = {
  db: Db;
  corpus: {
    /** Errors: NOT_FOUND, when the chunk's document is gone. */
    chunkSpan(id: ChunkId): { documentId: DocumentId; title: string; page: number };
  };
  /** All accepted pairs, in the order in which they were made. */
  listPairsForGraph(): GraphPair[];
  clock: Clock;
  emit: Emit;
  enqueue(request: EnqueueRequest): JobId;
};

export type Graph = {
  handlers: EngineHandlers["graph"];
  jobs: JobDefinition[];
  api: {
    /** Adds what the thinking of an accepted pair says. Adding the same pair again changes nothing. */
    addPairThinking(pair: GraphPair): void;
  };
};

const FORMATS = { graphml: toGraphml, gexf: toGexf, json: toJson };

/** Concepts and typed relations with the sentences that speak for them, grown from the thinking of accepted pairs. */
export function createGraph(deps: GraphDeps): Graph {
  const store = createGraphStore(deps.db, deps.clock);

  function evidenceOf(rows: StoredEvidence[]): EvidenceRow[] {
    return rows.map((row) => ({
      sentence: row.sentence,
      sourceKind: row.source_kind,
      sourceId: row.source_id,
      section: row.section,
      basis: row.basis,
      quote: row.quote,
      chunkId: row.chunk_id,
      start: row.start,
      end: row.end,
      ...pageOf(deps.corpus, row.chunk_id),
      round: row.round,
      createdAt: row.created_at,
    }));
  }

  async function exportGraph({ path, format }: { path: string; format: keyof typeof FORMATS }) {
    if (!isAbsolute(path)) throw new AppError("VALIDATION_FAILED", `${path} is not an absolute path`);
    const concepts = store.concepts();
    const relations = store.relations();
    const evidence = new Map([
      ...concepts.map(({ id }) => [id as string, evidenceOf(store.conceptEvidence(id))] as const),
      ...relations.map(({ id }) => [id as string, evidenceOf(store.relationEvidence(id))] as const),
    ]);
    await writeFileAtomic(path, FORMATS[format]({ concepts, relations, evidence }));
    return { path, nConcepts: concepts.length, nRelations: relations.length };
  }

  return {
    handlers: {
      get: () => ({ concepts: store.concepts(), relations: store.relations() }),
      stats: () => store.stats(),
      evidence: ({ conceptId, relationId }) => [
        ...(conceptId === undefined ? [] : evidenceOf(store.conceptEvidence(conceptId))),
        ...(relationId === undefined ? [] : evidenceOf(store.relationEvidence(relationId))),
      ],
      path({ fromId, toId }) {
        return shortestPath(store.relations(), fromId, toId);
      },
      savePositions({ positions }) {
        store.savePositions(positions);
        return {};
      },
      export: exportGraph,
      build: () => ({ jobId: deps.enqueue({ type: "graph.build", input: {} }) }),
    },
    jobs: [buildJob()],
    api: {
      addPairThinking(pair) {
        store.replace(readPairThinking(pair));
        deps.emit("graph.changed", {});
      },
    },
  };

  function buildJob(): JobDefinition {
    return defineJob({
      type: "graph.build",
      lane: "cpu",
      recovery: "requeue",
      input: JobInputs["graph.build"],
      title: () => "Rebuild the knowledge graph",
      async run({ signal, progress }) {
        const pairs = deps.listPairsForGraph();
        for (const [n, pair] of pairs.entries()) {
          signal.throwIfAborted();
          progress({ n, total: pairs.length, unit: "pairs", message: "Reading the thinking of each pair" });
          store.replace(readPairThinking(pair));
          // lets the engine answer others between two pairs
          await new Promise((resolve) => setImmediate(resolve));
        }
        store.keepPairs(pairs.map(({ id }) => id));
        progress({ n: pairs.length, total: pairs.length, unit: "pairs", message: "Done" });
        deps.emit("graph.changed", {});
        return store.stats();
      },
    });
  }
}

type Page = Pick<EvidenceRow, "documentId" | "title" | "page">;

/** A chunk never leaves its page, and neither does a sentence that begins in it. */
function pageOf(corpus: GraphDeps["corpus"], chunkId: ChunkId | null): Page {
  const nowhere = { documentId: null, title: null, page: null };
  if (chunkId === null) return nowhere;
  try {
    const { documentId, title, page } = corpus.chunkSpan(chunkId);
    return { documentId, title, page };
  } catch (error) {
    if (isAppError(error, "NOT_FOUND")) return nowhere;
    throw error;
  }
}
