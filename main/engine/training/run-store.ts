import type { StageColumns } from "../../shared/contract/preference.ts";
import type { PairProblem, RunDevice, TrainingRunRow, TrainingStep } from "../../shared/contract/training.ts";
import type { JobId, TrainingRunId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";

type Row = {
  id: string;
  experiment_id: string | null;
  stage: string;
  stage_index: number;
  loss: string;
  round: number;
  status: string;
  model_name: string;
  adapter_in: string | null;
  adapter_out: string | null;
  n_pairs: number;
  pair_problems: string;
  n_steps: number;
  config: string;
  device: string | null;
  started_at: number;
  finished_at: number | null;
};

export type NewRun = StageColumns & {
  jobId: JobId;
  experimentId: string | null;
  round: number;
  modelPath: string;
  modelName: string;
  adapterIn: string | null;
  requestKey: string | null;
};

export type RunStore = ReturnType<typeof createRunStore>;

/** Among the metrics of a step: its update was left out. */
const SKIPPED = "skipped";

const SELECT = `
  SELECT run.id, run.experiment_id, run.stage, run.stage_index, run.loss, run.round, run.status, run.model_name, run.adapter_in, run.adapter_out,
    run.n_pairs, run.pair_problems, run.config, run.device, run.started_at, run.finished_at,
    (SELECT COALESCE(MAX(step), 0) FROM training_metric WHERE run_id = run.id) AS n_steps
  FROM training_run AS run`;

export function createRunStore(db: Db, clock: Clock) {
  const selectById = db.prepare<[string], Row>(`${SELECT} WHERE run.id = ?`);
  const selectByJob = db.prepare<[string], Row>(`${SELECT} WHERE run.job_id = ?`);
  const selectByRound = db.prepare<{ experimentId: string; stage: string; round: number }, Row>(
    `${SELECT} WHERE run.experiment_id = @experimentId AND run.stage = @stage AND run.round = @round`,
  );
  const selectByRequest = db.prepare<[string], Row>(
    `${SELECT} WHERE run.request_key = ? AND run.status <> 'succeeded' ORDER BY run.started_at DESC LIMIT 1`,
  );
  const selectAll = db.prepare<[], Row>(`${SELECT} ORDER BY run.started_at DESC, run.id DESC`);
  const insert = db.prepare(`
    INSERT INTO training_run (id, job_id, experiment_id, stage, stage_index, loss, round, status, model_path, model_name, adapter_in,
      request_key, n_pairs, config, started_at)
    VALUES (@id, @jobId, @experimentId, @stage, @stageIndex, @loss, @round, 'running', @modelPath, @modelName, @adapterIn, @requestKey, 0, '{}', @startedAt)`);
  const adopt = db.prepare(
    "UPDATE training_run SET job_id = @jobId, status = 'running', finished_at = NULL WHERE id = @id",
  );
  const setConfig = db.prepare("UPDATE training_run SET config = @config WHERE id = @id");
  const setNPairs = db.prepare("UPDATE training_run SET n_pairs = @nPairs WHERE id = @id");
  const setPairProblems = db.prepare("UPDATE training_run SET pair_problems = @pairProblems WHERE id = @id");
  const setDevice = db.prepare("UPDATE training_run SET device = @device WHERE id = @id");
  const finish = db.prepare(`
    UPDATE training_run SET status = @status, adapter_out = @adapterOut, summary = @summary, finished_at = @at
    WHERE id = @id`);
  const putMetric = db.prepare(`
    INSERT INTO training_metric (run_id, step, name, value) VALUES (@runId, @step, @name, @value)
    ON CONFLICT DO UPDATE SET value = excluded.value`);
  const deleteMetrics = db.prepare("DELETE FROM training_metric WHERE run_id = @runId AND step = @step");
  const selectMetrics = db.prepare<[string], { step: number; name: string; value: number }>(
    "SELECT step, name, value FROM training_metric WHERE run_id = ? ORDER BY step, name",
  );

  return {
    get: (id: TrainingRunId) => mapRow(selectById.get(id)),
    list: () => selectAll.all().map(mapKnownRow),
    /**
     * The run of this job, which runs again; or the unfinished or failed run of the same round of the experiment, or of
     * the same request, taken over by this job so that its checkpoint counts; or a new one.
     */
    findOrCreate(run: NewRun): TrainingRunRow {
      const { experimentId, stage, round } = run;
      const ofRequest = () => (run.requestKey === null ? undefined : selectByRequest.get(run.requestKey));
      const ofRound = (id: string) => selectByRound.get({ experimentId: id, stage, round });
      const earlier = selectByJob.get(run.jobId) ?? (experimentId === null ? ofRequest() : ofRound(experimentId));
      const id = earlier?.id ?? newId<TrainingRunId>(clock());
      if (earlier) adopt.run({ id, jobId: run.jobId });
      else insert.run({ ...run, id, startedAt: clock() });
      return mapKnownRow(selectById.get(id) as Row);
    },
    setConfig(id: TrainingRunId, config: Record<string, unknown>): void {
      setConfig.run({ id, config: JSON.stringify(config) });
    },
    /** How many pairs are trained on. */
    setNPairs: (id: TrainingRunId, nPairs: number) => void setNPairs.run({ id, nPairs }),
    /** The newest of each kind is kept. */
    addPairProblem: db.transaction((id: TrainingRunId, problem: PairProblem): void => {
      const row = selectById.get(id);
      const known = row ? (JSON.parse(row.pair_problems) as PairProblem[]) : [];
      const others = known.filter(({ kind }) => kind !== problem.kind);
      setPairProblems.run({ id, pairProblems: JSON.stringify([...others, problem]) });
    }),
    setDevice: (id: TrainingRunId, device: RunDevice): void =>
      void setDevice.run({ id, device: JSON.stringify(device) }),
    putStep: db.transaction((runId: TrainingRunId, step: TrainingStep) => {
      deleteMetrics.run({ runId, step: step.step });
      const values = { epoch: step.epoch, loss: step.loss, ...step.metrics };
      for (const [name, value] of Object.entries(values)) putMetric.run({ runId, step: step.step, name, value });
    }),
    /** The trainer left the update of this step out; it may still have a loss. */
    putSkipped: (runId: TrainingRunId, step: number): void =>
      void putMetric.run({ runId, step, name: SKIPPED, value: 1 }),
    finish(id: TrainingRunId, status: TrainingRunRow["status"], adapterOut: string | null, summary: unknown): void {
      finish.run({ id, status, adapterOut, summary: JSON.stringify(summary ?? null), at: clock() });
    },
    /** Those that have a loss. */
    steps(runId: TrainingRunId): TrainingStep[] {
      const steps = new Map<number, TrainingStep>();
      for (const { step, name, value } of selectMetrics.all(runId)) {
        if (name === SKIPPED) continue;
        const entry = steps.get(step) ?? { step, epoch: 0, loss: 0, metrics: {} };
        steps.set(step, entry);
        if (name === "epoch" || name === "loss") entry[name] = value;
        else entry.metrics[name] = value;
      }
      return [...steps.values()];
    },
    /** Those whose loss or gradient was not finite, in their order. */
    skippedSteps: (runId: TrainingRunId): number[] =>
      selectMetrics.all(runId).flatMap(({ step, name }) => (name === SKIPPED ? [step] : [])),
  };
}

function mapRow(row: Row | undefined): TrainingRunRow | undefined {
  return row && mapKnownRow(row);
}

function mapKnownRow(row: Row): TrainingRunRow {
  return {
    id: row.id as TrainingRunId,
    experimentId: row.experiment_id,
    stage: row.stage,
    stageIndex: row.stage_index,
    loss: row.loss,
    round: row.round,
    status: row.status as TrainingRunRow["status"],
    modelName: row.model_name,
    adapterIn: row.adapter_in,
    adapterOut: row.adapter_out,
    nPairs: row.n_pairs,
    pairProblems: JSON.parse(row.pair_problems) as PairProblem[],
    nSteps: row.n_steps,
    config: JSON.parse(row.config) as Record<string, unknown>,
    device: row.device === null ? null : (JSON.parse(row.device) as RunDevice),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
