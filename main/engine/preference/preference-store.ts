import type { PairRow, PairSource, ThinkingSection } from "../../shared/contract/preference.ts";
import type { LossName } from "../../shared/loss.ts";
import type { PairId } from "../../shared/ids.ts";
import { DEFAULT_MARKERS, type MarkerSet } from "../../shared/markers.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";
import type { Provenance } from "./generate/provenance.ts";
import type { Vector } from "./similarity.ts";

/** Which round of which stage: names are unique in a recipe. */
export type PairKey = { experimentId: string; stage: string; round: number };
/** A stage goes by its own name or by its loss's, so that pairs of one loss are found in recipes that name stages otherwise. */
export type StageFilter = { stage: string | null; loss: LossName | null };
export type NewPair = PairKey &
  Omit<PairRow, "id" | "createdAt"> & {
    id?: PairId;
    vector: Vector | null;
    provenance: Provenance;
    events: { kind: string; payload: unknown }[];
  };
/** A pair whose statements do not say yet what they rest on. */
export type UnlocatedPair = PairRow & { experimentId: string };
export type PairWithProvenance = PairRow & { provenance: Provenance };
export type PreferenceStore = ReturnType<typeof createPreferenceStore>;

type Row = {
  id: string;
  stage: string;
  stage_index: number;
  loss: string;
  round: number;
  ordinal: number;
  question: string;
  chosen: string;
  rejected: string;
  thinking: string;
  markers: string | null;
  messages: string | null;
  tokens: string | null;
  status: string;
  filter_reason: string | null;
  sources: string;
  provenance: string;
  created_at: number;
};
const COLUMNS =
  "id, stage, stage_index, loss, round, ordinal, question, chosen, rejected, thinking, markers, messages, tokens, status, filter_reason, sources, provenance, created_at";

/** The words of the column are losses and weights. */
const HAS_LOSS = (name: string) => `' ' || loss || ' ' LIKE '% ' || ${name} || ' %'`;
const IN_STAGE = `(@stage IS NULL OR stage = @stage OR ${HAS_LOSS("@stage")}) AND (@loss IS NULL OR ${HAS_LOSS("@loss")})`;

export function createPreferenceStore(db: Db, clock: Clock) {
  const insertQuestion = db.prepare(
    "INSERT INTO question (id, text, chunk_id, vector, created_at) VALUES (@id, @text, @chunkId, @vector, @createdAt)",
  );
  const insertPair = db.prepare(`
    INSERT OR IGNORE INTO preference_pair
      (id, experiment_id, stage, stage_index, loss, round, ordinal, question_id, question, chosen, rejected, thinking, markers, messages, tokens,
       status, filter_reason, sources, provenance, created_at)
    VALUES
      (@id, @experimentId, @stage, @stageIndex, @loss, @round, @ordinal, @questionId, @question, @chosen, @rejected, @thinking, @markers, @messages,
       @tokens, @status, @filterReason, @sources, @provenance, @createdAt)`);
  const insertEvent = db.prepare(
    "INSERT INTO pair_event (pair_id, seq, at, kind, payload) VALUES (@pairId, @seq, @at, @kind, @payload)",
  );
  const selectEvents = db.prepare<[string], { kind: string; payload: string }>(
    "SELECT kind, payload FROM pair_event WHERE pair_id = ? ORDER BY seq",
  );
  const selectPair = db.prepare<[string], Row>(`SELECT ${COLUMNS} FROM preference_pair WHERE id = ?`);
  const selectRound = db.prepare<[PairKey], Row>(`
    SELECT ${COLUMNS} FROM preference_pair
    WHERE experiment_id = @experimentId AND stage = @stage AND round = @round ORDER BY ordinal`);
  const selectMatching = db.prepare<[StageFilter & { status: string | null; limit: number }], Row>(`
    SELECT ${COLUMNS} FROM preference_pair
    WHERE ${IN_STAGE} AND (@status IS NULL OR status = @status)
    ORDER BY created_at DESC, id DESC LIMIT @limit`);
  const selectAccepted = db.prepare<[StageFilter], Row>(`
    SELECT ${COLUMNS} FROM preference_pair
    WHERE status = 'accepted' AND ${IN_STAGE} ORDER BY created_at, id`);
  const countMatching = db.prepare<[StageFilter & { status: string | null }], { n: number }>(`
    SELECT COUNT(*) AS n FROM preference_pair
    WHERE ${IN_STAGE} AND (@status IS NULL OR status = @status)`);
  const countEarlierRounds = db.prepare<[string], { n: number }>(`
    WITH round AS (
      SELECT experiment_id, stage, round, MIN(created_at) AS began_at FROM preference_pair
      GROUP BY experiment_id, stage, round
    )
    SELECT COUNT(*) AS n FROM round WHERE began_at < (
      SELECT began_at FROM round JOIN preference_pair USING (experiment_id, stage, round) WHERE preference_pair.id = ?
    )`);
  const selectUnlocated = db.prepare<[], Row & { experiment_id: string }>(`
    SELECT ${COLUMNS}, experiment_id FROM preference_pair WHERE is_located = 0 ORDER BY created_at, id LIMIT 1`);
  const countUnlocated = db.prepare<[], { n: number }>(
    "SELECT COUNT(*) AS n FROM preference_pair WHERE is_located = 0",
  );
  const updateThinking = db.prepare("UPDATE preference_pair SET thinking = @thinking, is_located = 1 WHERE id = @id");
  const countReasons = db.prepare<[StageFilter], { reason: string; n: number }>(`
    SELECT filter_reason AS reason, COUNT(*) AS n FROM preference_pair
    WHERE filter_reason IS NOT NULL AND ${IN_STAGE} GROUP BY filter_reason`);
  const countSources = db.prepare<[string], { chunkId: string; n: number }>(`
    SELECT json_extract(sources, '$[0].chunkId') AS chunkId, COUNT(*) AS n FROM preference_pair
    WHERE experiment_id = ? AND json_array_length(sources) > 0 GROUP BY chunkId`);
  const selectVectors = db.prepare<[string], { vector: Buffer }>(`
    SELECT question.vector FROM preference_pair JOIN question ON question.id = preference_pair.question_id
    WHERE preference_pair.experiment_id = ? AND question.vector IS NOT NULL
    ORDER BY preference_pair.created_at, preference_pair.id`);

  /** Pair, question and events in one transaction; undefined when the place in the round is taken. */
  const insert = db.transaction((pair: NewPair): PairRow | undefined => {
    const id = pair.id ?? newId<PairId>(clock());
    const createdAt = clock();
    const questionId = pair.question === "" ? null : newId(createdAt);
    if (questionId !== null) {
      const chunkId = pair.sources[0]?.chunkId ?? "";
      insertQuestion.run({ id: questionId, text: pair.question, chunkId, vector: toBlob(pair.vector), createdAt });
    }
    const { changes } = insertPair.run({
      id,
      experimentId: pair.experimentId,
      stage: pair.stage,
      stageIndex: pair.stageIndex,
      loss: pair.loss,
      round: pair.round,
      ordinal: pair.ordinal,
      questionId,
      question: pair.question,
      chosen: pair.chosen,
      rejected: pair.rejected,
      thinking: JSON.stringify(pair.thinking),
      markers: JSON.stringify(pair.markers),
      messages: pair.messages && JSON.stringify(pair.messages),
      tokens: pair.tokens && JSON.stringify(pair.tokens),
      status: pair.status,
      filterReason: pair.filterReason,
      sources: JSON.stringify(pair.sources),
      provenance: JSON.stringify(pair.provenance),
      createdAt,
    });
    if (changes === 0) {
      if (questionId !== null) db.prepare("DELETE FROM question WHERE id = ?").run(questionId);
      return undefined;
    }
    for (const [seq, { kind, payload }] of pair.events.entries()) {
      insertEvent.run({ pairId: id, seq, at: createdAt, kind, payload: JSON.stringify(payload) });
    }
    return toPairRow(selectPair.get(id)!);
  });

  return {
    insert: (pair: NewPair) => insert.immediate(pair),
    has: (id: PairId) => selectPair.get(id) !== undefined,
    get(id: PairId): PairWithProvenance | undefined {
      const row = selectPair.get(id);
      return row && withProvenance(row);
    },
    events: (id: PairId) =>
      selectEvents.all(id).map(({ kind, payload }) => ({ kind, payload: JSON.parse(payload) as unknown })),
    round: (key: PairKey): PairRow[] => selectRound.all(keyOf(key)).map(toPairRow),
    list: (filter: StageFilter & { status: PairRow["status"] | null; limit: number }) =>
      selectMatching.all(filter).map(toPairRow),
    count: (filter: StageFilter & { status: PairRow["status"] | null }): number => countMatching.get(filter)!.n,
    accepted: (filter: StageFilter): PairWithProvenance[] => selectAccepted.all(filter).map(withProvenance),
    countUnlocated: (): number => countUnlocated.get()!.n,
    nextUnlocated(): UnlocatedPair | undefined {
      const row = selectUnlocated.get();
      return row && { ...toPairRow(row), experimentId: row.experiment_id };
    },
    setLocated: (id: PairId, thinking: ThinkingSection[]) =>
      void updateThinking.run({ id, thinking: JSON.stringify(thinking) }),
    /** Rounds of any stage and experiment that began before the pair's own. */
    nEarlierRounds: (id: PairId): number => countEarlierRounds.get(id)?.n ?? 0,
    filterCounts: (filter: StageFilter): Record<string, number> =>
      Object.fromEntries(countReasons.all(filter).map(({ reason, n }) => [reason, n])),
    /** How often each chunk was a source in the experiment. */
    timesSampled: (experimentId: string) =>
      new Map(countSources.all(experimentId).map(({ chunkId, n }) => [chunkId, n])),
    questionVectors: (experimentId: string): Vector[] =>
      selectVectors.all(experimentId).map(({ vector }) => fromBlob(vector)),
  };
}

/** Only the columns that the statement names; better-sqlite3 refuses unknown parameters. */
function keyOf({ experimentId, stage, round }: PairKey): PairKey {
  return { experimentId, stage, round };
}

function toPairRow(row: Row): PairRow {
  return {
    id: row.id as PairId,
    stage: row.stage,
    stageIndex: row.stage_index,
    loss: row.loss,
    round: row.round,
    ordinal: row.ordinal,
    question: row.question,
    chosen: row.chosen,
    rejected: row.rejected,
    thinking: JSON.parse(row.thinking) as ThinkingSection[],
    markers: row.markers === null ? DEFAULT_MARKERS : (JSON.parse(row.markers) as MarkerSet),
    messages: row.messages === null ? null : (JSON.parse(row.messages) as PairRow["messages"]),
    tokens: row.tokens === null ? null : (JSON.parse(row.tokens) as PairRow["tokens"]),
    status: row.status as PairRow["status"],
    filterReason: row.filter_reason,
    sources: JSON.parse(row.sources) as PairSource[],
    createdAt: row.created_at,
  };
}

function withProvenance(row: Row): PairWithProvenance {
  return { ...toPairRow(row), provenance: JSON.parse(row.provenance) as Provenance };
}

/** n_dims little-endian float32, as everywhere in the database. */
function toBlob(vector: Vector | null): Buffer | null {
  return vector && Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

function fromBlob(blob: Buffer): Vector {
  return new Float32Array(blob.buffer.slice(blob.byteOffset, blob.byteOffset + blob.byteLength));
}
