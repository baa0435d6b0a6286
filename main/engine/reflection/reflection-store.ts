import type {
  CritiquePoint,
  Iteration,
  ReflectionDetail,
  ReflectionRow,
  SourceSpan,
} from "../../shared/contract/reflection.ts";
import { AppError } from "../../shared/errors.ts";
import type { JobId, ReflectionId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { StopReason } from "./stop-rules.ts";
import type { IterationRecord, ReflectionPlan, ReflectionSettings } from "./types.ts";

type Row = {
  id: string;
  job_id: string | null;
  question: string;
  status: ReflectionRow["status"];
  model: string;
  adapter: string | null;
  critic: string | null;
  n_iterations: number;
  sources: string;
  settings: string;
  integrated: string | null;
  stop_reason: StopReason | null;
  created_at: number;
  n_finished: number;
  job_status: string | null;
};

type IterationRow = {
  index: number;
  thinking: string;
  reflection: string;
  answer: string;
  improved_thinking: string | null;
  problems: string;
  metrics: string;
  tokens: number;
  took_ms: number;
};

type PointRow = {
  iteration_index: number;
  ordinal: number;
  point: string;
  acted_on: number;
  changed_sentences: string;
};

export type ReflectionStore = ReturnType<typeof createReflectionStore>;

export function createReflectionStore(db: Db) {
  const insert = db.prepare(`
    INSERT INTO reflection (id, question, status, model, adapter, critic, n_iterations, input, sources, settings, created_at)
    VALUES (@id, @question, 'running', @model, @adapter, @critic, @nIterations, @input, '[]', @settings, @createdAt)`);
  const updateJob = db.prepare("UPDATE reflection SET job_id = @jobId, status = 'running' WHERE id = @id");
  const updateSources = db.prepare("UPDATE reflection SET sources = @sources, settings = @settings WHERE id = @id");
  const updateStop = db.prepare("UPDATE reflection SET stop_reason = @stopReason WHERE id = @id");
  const updateEnd = db.prepare("UPDATE reflection SET status = @status WHERE id = @id");
  const updateIntegrated = db.prepare(
    "UPDATE reflection SET integrated = @integrated, settings = @settings WHERE id = @id",
  );
  // a job that was cancelled or lost before it ran had no chance to write its end down here
  const columns = `
    SELECT reflection.*, job.status AS job_status,
      (SELECT COUNT(*) FROM iteration WHERE reflection_id = reflection.id) AS n_finished
    FROM reflection LEFT JOIN job ON job.id = reflection.job_id`;
  const selectAll = db.prepare<[], Row>(`${columns} ORDER BY reflection.created_at DESC, reflection.id DESC`);
  const selectById = db.prepare<[string], Row>(`${columns} WHERE reflection.id = ?`);
  const insertIteration = db.prepare(`
    INSERT INTO iteration (reflection_id, "index", thinking, reflection, answer, improved_thinking, problems, metrics, calls, tokens, took_ms)
    VALUES (@id, @index, @thinking, @reflection, @answer, @improvedThinking, @problems, @metrics, @calls, @tokens, @tookMs)`);
  const insertPoint = db.prepare(`
    INSERT INTO critique_point (reflection_id, iteration_index, ordinal, point, acted_on, changed_sentences)
    VALUES (@id, @index, @ordinal, @point, @actedOn, @changedSentences)`);
  const selectIterations = db.prepare<[string], IterationRow>(`
    SELECT "index", thinking, reflection, answer, improved_thinking, problems, metrics, tokens, took_ms
    FROM iteration WHERE reflection_id = ? ORDER BY "index"`);
  const selectPoints = db.prepare<[string], PointRow>(`
    SELECT iteration_index, ordinal, point, acted_on, changed_sentences
    FROM critique_point WHERE reflection_id = ? ORDER BY iteration_index, ordinal`);
  const selectCalls = db.prepare<[string], { calls: string }>(
    'SELECT calls FROM iteration WHERE reflection_id = ? ORDER BY "index"',
  );

  function row(id: ReflectionId): Row {
    const found = selectById.get(id);
    if (!found) throw new AppError("NOT_FOUND", `There is no reflection ${id}`);
    return found;
  }

  function iterations(id: ReflectionId): Iteration[] {
    const points = selectPoints.all(id);
    return selectIterations.all(id).map((iteration) => mapIteration(iteration, points));
  }

  const settings = (id: ReflectionId) => JSON.parse(row(id).settings) as ReflectionSettings;

  return {
    insert(reflection: { id: ReflectionId; plan: ReflectionPlan; input: unknown; createdAt: number }): void {
      const { id, plan, input, createdAt } = reflection;
      insert.run({
        id,
        question: plan.question,
        model: plan.policy.model.name,
        adapter: plan.policy.adapter?.name ?? null,
        critic: plan.critic.model.name,
        nIterations: plan.nIterations,
        input: JSON.stringify(input),
        settings: JSON.stringify(plan),
        createdAt,
      });
    },
    setJob: (id: ReflectionId, jobId: JobId) => void updateJob.run({ id, jobId }),
    settings,
    iterations,
    sources: (id: ReflectionId) => JSON.parse(row(id).sources) as SourceSpan[],
    stopReason: (id: ReflectionId) => row(id).stop_reason,
    /** Where it runs and what it draws on, fixed before the first iteration. */
    begin(id: ReflectionId, sources: SourceSpan[], facts: Pick<ReflectionSettings, "runner" | "promptHashes">): void {
      updateSources.run({
        id,
        sources: JSON.stringify(sources),
        settings: JSON.stringify({ ...settings(id), ...facts }),
      });
    },
    /** The whole iteration or nothing of it, with the reason to stop if it is the last one. */
    saveIteration: db.transaction(
      (id: ReflectionId, { iteration, calls }: IterationRecord, stopReason: StopReason | null) => {
        const { critique, metrics, problems, ...columns } = iteration;
        insertIteration.run({
          id,
          ...columns,
          metrics: JSON.stringify(metrics),
          problems: JSON.stringify(problems),
          calls: JSON.stringify(calls),
        });
        for (const { actedOn, changedSentences, ...point } of critique) {
          const values = { actedOn: actedOn ? 1 : 0, changedSentences: JSON.stringify(changedSentences) };
          insertPoint.run({ id, index: iteration.index, ...point, ...values });
        }
        if (stopReason !== null) updateStop.run({ id, stopReason });
      },
    ),
    setStopReason: (id: ReflectionId, stopReason: StopReason) => void updateStop.run({ id, stopReason }),
    setIntegrated(
      id: ReflectionId,
      integrated: string,
      integrationCalls: ReflectionSettings["integrationCalls"],
    ): void {
      updateIntegrated.run({ id, integrated, settings: JSON.stringify({ ...settings(id), integrationCalls }) });
    },
    finish: (id: ReflectionId, status: ReflectionRow["status"]) => void updateEnd.run({ id, status }),
    list: (): ReflectionRow[] => selectAll.all().map(mapRow),
    /** Every generation of the iterations that are stored, iteration by iteration. */
    calls: (id: ReflectionId) => selectCalls.all(id).map(({ calls }) => JSON.parse(calls) as IterationRecord["calls"]),
    detail(id: ReflectionId): ReflectionDetail {
      const found = row(id);
      const all = iterations(id);
      return {
        ...mapRow(found),
        iterations: all,
        sources: JSON.parse(found.sources) as SourceSpan[],
        final: finalAnswer(all, found.stop_reason),
        integrated: found.integrated,
        stopReason: found.stop_reason,
        settings: JSON.parse(found.settings) as Record<string, unknown>,
      };
    },
  };
}

/** The last answer; the one before it when the last one is the reason to stop. */
export function finalAnswer(iterations: readonly Iteration[], stopReason: StopReason | null): string | null {
  const last = iterations.at(-1);
  const chosen = stopReason === "degraded" ? (iterations.at(-2) ?? last) : last;
  return chosen?.answer ?? null;
}

function mapRow(row: Row): ReflectionRow {
  return {
    id: row.id as ReflectionId,
    jobId: row.job_id as JobId | null,
    question: row.question,
    status: statusOf(row),
    model: row.model,
    adapter: row.adapter,
    critic: row.critic,
    nIterations: row.n_iterations,
    nFinished: row.n_finished,
    createdAt: row.created_at,
  };
}

function statusOf({ status, job_status: job }: Row): ReflectionRow["status"] {
  return status === "running" && (job === "failed" || job === "cancelled") ? job : status;
}

function mapIteration(row: IterationRow, points: PointRow[]): Iteration {
  return {
    index: row.index,
    thinking: row.thinking,
    reflection: row.reflection,
    answer: row.answer,
    critique: points.filter((point) => point.iteration_index === row.index).map(mapPoint),
    improvedThinking: row.improved_thinking,
    problems: JSON.parse(row.problems) as string[],
    metrics: JSON.parse(row.metrics) as Iteration["metrics"],
    tokens: row.tokens,
    tookMs: row.took_ms,
  };
}

function mapPoint(row: PointRow): CritiquePoint {
  return {
    ordinal: row.ordinal,
    point: row.point,
    actedOn: row.acted_on === 1,
    changedSentences: JSON.parse(row.changed_sentences) as number[],
  };
}
