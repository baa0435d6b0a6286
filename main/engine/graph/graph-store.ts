import type { ConceptRow, ConceptType, EvidenceRow, GraphStats, RelationRow } from "../../shared/contract/graph.ts";
import type { ChunkId, ConceptId, PairId, RelationId } from "../../shared/ids.ts";
import type { StatementSpan } from "../../shared/contract/preference.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";
import type { Evidence } from "./rules/extract.ts";
import type { GraphSource } from "./sources/source.ts";

export type StoredEvidence = {
  sentence: string;
  source_kind: "pair" | "chunk" | "reflection";
  source_id: string;
  section: string | null;
  basis: EvidenceRow["basis"];
  quote: string | null;
  chunk_id: ChunkId | null;
  start: number | null;
  end: number | null;
  round: number;
  created_at: number;
};

type Counts = { nConcepts: number; nRelations: number; nEvidence: number };
export type GraphStore = ReturnType<typeof createGraphStore>;

export function createGraphStore(db: Db, clock: Clock) {
  const insertConcept = db.prepare(`
    INSERT INTO concept (id, key, label, type, created_at) VALUES (@id, @key, @label, @type, @createdAt)
    ON CONFLICT (key) DO UPDATE SET type = excluded.type WHERE concept.type = 'other'`);
  const selectConceptId = db.prepare<[string], { id: string }>("SELECT id FROM concept WHERE key = ?");
  const insertRelation = db.prepare(`
    INSERT INTO relation (id, source_id, target_id, type, created_at) VALUES (@id, @sourceId, @targetId, @type, @createdAt)
    ON CONFLICT (source_id, target_id, type) DO NOTHING`);
  const selectRelationId = db.prepare<[string, string, string], { id: string }>(
    "SELECT id FROM relation WHERE source_id = ? AND target_id = ? AND type = ?",
  );
  const insertEvidence = db.prepare(`
    INSERT INTO evidence
      (concept_id, relation_id, source_kind, source_id, section, sentence, basis, quote, chunk_id, start, "end", round, created_at)
    VALUES
      (@conceptId, @relationId, @kind, @id, @section, @sentence, @basis, @quote, @chunkId, @start, @end, @round, @createdAt)`);
  const deleteEvidence = db.prepare("DELETE FROM evidence WHERE source_kind = @kind AND source_id = @id");
  const deleteOtherEvidence = db.prepare(
    "DELETE FROM evidence WHERE source_kind = 'pair' AND source_id NOT IN (SELECT value FROM json_each(?))",
  );
  const deleteBareRelations = db.prepare(
    "DELETE FROM relation WHERE id NOT IN (SELECT relation_id FROM evidence WHERE relation_id IS NOT NULL)",
  );
  const deleteBareConcepts = db.prepare(
    "DELETE FROM concept WHERE id NOT IN (SELECT concept_id FROM evidence WHERE concept_id IS NOT NULL)",
  );
  const updatePosition = db.prepare("UPDATE concept SET x = @x, y = @y WHERE id = @id");
  // a piece of evidence is a sentence of the thinking, however many sentences of the papers it rests on
  const evidencePiece = `json_array(evidence.source_id, section, sentence)`;
  const selectConcepts = db.prepare<[], ConceptRow>(`
    SELECT concept.id, label, type, COUNT(DISTINCT ${evidencePiece}) AS nEvidence, MIN(round) AS firstRound, x, y
    FROM concept JOIN evidence ON evidence.concept_id = concept.id
    GROUP BY concept.id ORDER BY nEvidence DESC, key`);
  const selectRelations = db.prepare<[], RelationRow>(`
    SELECT relation.id, relation.source_id AS sourceId, relation.target_id AS targetId, relation.type AS type, COUNT(DISTINCT ${evidencePiece}) AS nEvidence, MIN(round) AS firstRound
    FROM relation JOIN evidence ON evidence.relation_id = relation.id
    GROUP BY relation.id ORDER BY nEvidence DESC, relation.id`);
  const evidenceColumns = `sentence, source_kind, source_id, section, basis, quote, chunk_id, start, "end", round, created_at`;
  const selectConceptEvidence = db.prepare<[string], StoredEvidence>(
    `SELECT ${evidenceColumns} FROM evidence WHERE concept_id = ? ORDER BY round, id`,
  );
  const selectRelationEvidence = db.prepare<[string], StoredEvidence>(
    `SELECT ${evidenceColumns} FROM evidence WHERE relation_id = ? ORDER BY round, id`,
  );
  const selectCounts = db.prepare<[], Counts>(`
    SELECT (SELECT COUNT(*) FROM concept) AS nConcepts, (SELECT COUNT(*) FROM relation) AS nRelations,
      (SELECT COUNT(DISTINCT json_array(concept_id, relation_id, source_id, section, sentence)) FROM evidence) AS nEvidence`);
  const countByType = db.prepare<[], { type: string; n: number }>(
    "SELECT type, COUNT(*) AS n FROM concept GROUP BY type ORDER BY n DESC, type",
  );
  const countByRelation = db.prepare<[], { type: string; n: number }>(
    "SELECT type, COUNT(*) AS n FROM relation GROUP BY type ORDER BY n DESC, type",
  );

  function putConcept({ key, label, type }: { key: string; label: string; type: ConceptType }): string {
    insertConcept.run({ id: newId<ConceptId>(clock()), key, label, type, createdAt: clock() });
    return selectConceptId.get(key)!.id;
  }

  function putRelation(sourceId: string, targetId: string, type: string): string {
    insertRelation.run({ id: newId<RelationId>(clock()), sourceId, targetId, type, createdAt: clock() });
    return selectRelationId.get(sourceId, targetId, type)!.id;
  }

  function putEvidence(
    of: { conceptId: string | null; relationId: string | null },
    all: Evidence[],
    { source, spans }: GraphSource,
  ): void {
    for (const { section, sentence, statement } of all)
      for (const place of placesOf(spans[statement] ?? null))
        insertEvidence.run({ ...of, ...source, section, sentence, ...place, createdAt: clock() });
  }

  function dropBare(): void {
    deleteBareRelations.run();
    deleteBareConcepts.run();
  }

  return {
    /** Everything that a source says, in place of what it was known to say: doing it again changes nothing. */
    replace: db.transaction((given: GraphSource) => {
      const { concepts, relations } = given.extraction;
      deleteEvidence.run({ kind: given.source.kind, id: given.source.id });
      const ids = new Map(concepts.map((concept) => [concept.key, putConcept(concept)]));
      for (const { key, evidence } of concepts)
        putEvidence({ conceptId: ids.get(key)!, relationId: null }, evidence, given);
      for (const { source: from, type, target, evidence } of relations) {
        const relationId = putRelation(ids.get(from)!, ids.get(target)!, type);
        putEvidence({ conceptId: null, relationId }, evidence, given);
      }
      dropBare();
    }),
    /** Forgets what only pairs that are gone have said. Concepts that stay keep their ids and places. */
    keepPairs: db.transaction((pairIds: PairId[]) => {
      deleteOtherEvidence.run(JSON.stringify(pairIds));
      dropBare();
    }),
    savePositions: db.transaction((positions: { id: ConceptId; x: number; y: number }[]) => {
      for (const position of positions) updatePosition.run(position);
    }),
    concepts: () => selectConcepts.all(),
    relations: () => selectRelations.all(),
    conceptEvidence: (id: ConceptId) => selectConceptEvidence.all(id),
    relationEvidence: (id: RelationId) => selectRelationEvidence.all(id),
    stats(): GraphStats {
      const byCount = (rows: { type: string; n: number }[]) => Object.fromEntries(rows.map(({ type, n }) => [type, n]));
      return { ...selectCounts.get()!, byType: byCount(countByType.all()), byRelation: byCount(countByRelation.all()) };
    },
  };
}

type Place = Pick<EvidenceRow, "basis" | "quote" | "chunkId" | "start" | "end">;

/** A row for each sentence of the papers that a statement rests on; one without a page where there is none. */
function placesOf(spans: StatementSpan[] | null): Place[] {
  const nowhere = { quote: null, chunkId: null, start: null, end: null };
  if (spans === null) return [{ basis: "unknown", ...nowhere }];
  if (spans.length === 0) return [{ basis: "model", ...nowhere }];
  return spans.map(({ quote, chunkId, start, end }) => ({ basis: "papers", quote, chunkId, start, end }));
}
