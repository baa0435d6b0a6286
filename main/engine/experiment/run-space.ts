import type { Keep, RunSpace, TrainingRunRow } from "../../shared/contract/training.ts";
import type { TrainingRunId } from "../../shared/ids.ts";
import type { RunFileRole, Training } from "../training/index.ts";
import type { ExperimentList } from "./experiment-store.ts";
import { filesToDrop } from "./keep-files.ts";

type SpaceDeps = { training: Training["api"]; experiments: ExperimentList };
type Roles = ReadonlySet<RunFileRole>;

/** The adapter of a single `train` is the user's own file; its checkpoint is of no more use when it has ended well. */
const OF_SINGLE_RUN: Roles = new Set<RunFileRole>(["copy", "checkpoint"]);
const NOTHING: Roles = new Set<RunFileRole>();

/** Every run with the bytes that it takes and that could be freed, by the recipes' `keep` or another one. */
export function runSpace(deps: SpaceDeps, keep?: Keep): RunSpace {
  const drops = dropsOf(deps, keep);
  const runs = deps.training.listRuns().map((run) => {
    const files = deps.training.runFiles(run);
    const sum = (list: typeof files) => list.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    const freeable = files.filter(({ role }) => drops.get(run.id)?.has(role));
    const { id: runId, stage, stageIndex, loss, round, experimentId, status } = run;
    const columns = { runId, experimentId, stage, stageIndex, loss, round, status };
    return { ...columns, sizeBytes: sum(files), freeableBytes: sum(freeable) };
  });
  const total = (of: (run: (typeof runs)[number]) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  return { runs, totalBytes: total((run) => run.sizeBytes), freeableBytes: total((run) => run.freeableBytes) };
}

/** Frees what `runSpace` says can be freed. */
export async function cleanRuns(deps: SpaceDeps, keep?: Keep): Promise<{ freedBytes: number }> {
  const drops = dropsOf(deps, keep);
  let freedBytes = 0;
  for (const run of deps.training.listRuns())
    freedBytes += await deps.training.dropRunFiles(run, drops.get(run.id) ?? NOTHING);
  return { freedBytes };
}

function dropsOf({ training, experiments }: SpaceDeps, keep?: Keep): Map<TrainingRunId, Roles> {
  const drops = new Map<TrainingRunId, Roles>();
  const runs = training.listRuns();
  for (const run of runs) if (run.experimentId === null && run.status === "succeeded") drops.set(run.id, OF_SINGLE_RUN);
  for (const { experimentId, keep: ownKeep, status } of experiments.all()) {
    const own = runs.filter((run: TrainingRunRow) => run.experimentId === experimentId);
    const isUnfinished = status !== "succeeded";
    for (const [id, roles] of filesToDrop(own, { keep: keep ?? ownKeep, isUnfinished })) drops.set(id, roles);
  }
  return drops;
}
