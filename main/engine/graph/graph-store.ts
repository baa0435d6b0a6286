import type { ConceptRow, ConceptType, GraphStats, RelationRow } from "../../shared/contract/graph.ts";
import type { ChunkId, ConceptId, PairId, RelationId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";
import type { Evidence, Extraction } from "./rules/extract.ts";

/** A pair as the graph knows it. */
export type EvidenceSource = { pairId: PairId; chunkId: ChunkId | null; round: number };

export type StoredEvidence = {
  sentence: string;
  source_kind: "pair" | "chunk" | "reflection";
  source_id: string;
  section: string | null;
  chunk_id: ChunkId | null;
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
    INSERT INTO evidence (concept_id, relation_id, source_kind, source_id, section, sentence, chunk_id, round, created_at)
    VALUES (@conceptId, @relationId, 'pair', @pairId, @section, @sentence, @chunkId, @round, @createdAt)`);
  const deleteEvidence = db.prepare("DELETE FROM evidence WHERE source_kind = 'pair' AND source_id = ?");
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
  const selectConcepts = db.prepare<[], ConceptRow>(`
    SELECT concept.id, label, type, COUNT(evidence.id) AS nEvidence, MIN(round) AS firstRound, x, y
    FROM concept JOIN evidence ON evidence.concept_id = concept.id
    GROUP BY concept.id ORDER BY nEvidence DESC, key`);
  const selectRelations = db.prepare<[], RelationRow>(`
    SELECT relation.id, relation.source_id AS sourceId, relation.target_id AS targetId, relation.type AS type, COUNT(evidence.id) AS nEvidence, MIN(round) AS firstRound
    FROM relation JOIN evidence ON evidence.relation_id = relation.id
    GROUP BY relation.id ORDER BY nEvidence DESC, relation.id`);
  const evidenceColumns = "sentence, source_kind, source_id, section, chunk_id, round, created_at";
  const selectConceptEvidence = db.prepare<[string], StoredEvidence>(
    `SELECT ${evidenceColumns} FROM evidence WHERE concept_id = ? ORDER BY round, id`,
  );
  const selectRelationEvidence = db.prepare<[string], StoredEvidence>(
    `SELECT ${evidenceColumns} FROM evidence WHERE relation_id = ? ORDER BY round, id`,
  );
  const selectCounts = db.prepare<[], Counts>(`
    SELECT (SELECT COUNT(*) FROM concept) AS nConcepts, (SELECT COUNT(*) FROM relation) AS nRelations,
      (SELECT COUNT(*) FROM evidence) AS nEvidence`);
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
    source: EvidenceSource,
  ): void {
    for (const evidence of all) insertEvidence.run({ ...of, ...evidence, ...source, createdAt: clock() });
  }

  function dropBare(): void {
    deleteBareRelations.run();
    deleteBareConcepts.run();
  }

  return {
    /** Everything that a pair says, in place of what it was known to say: doing it again changes nothing. */
    replacePair: db.transaction((source: EvidenceSource, { concepts, relations }: Extraction) => {
      deleteEvidence.run(source.pairId);
      const ids = new Map(concepts.map((concept) => [concept.key, putConcept(concept)]));
      for (const { key, evidence } of concepts)
        putEvidence({ conceptId: ids.get(key)!, relationId: null }, evidence, source);
      for (const { source: from, type, target, evidence } of relations) {
        const relationId = putRelation(ids.get(from)!, ids.get(target)!, type);
        putEvidence({ conceptId: null, relationId }, evidence, source);
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
