import type { Keep, TrainingRunRow } from "../../shared/contract/training.ts";
import type { TrainingRunId } from "../../shared/ids.ts";
import type { RunFileRole } from "../training/index.ts";

type Run = Pick<TrainingRunRow, "id" | "stageIndex" | "round" | "status">;

/**
 * [Note: what a run keeps] Of an experiment's finished runs no file is kept but what someone will read again. The
 * trainer's checkpoint of the newest one stays until the next has finished, or the experiment has. Adapters stay as the
 * recipe says (`keep`), and while the experiment goes on also those that it needs: the newest, from which the next round
 * starts, and the last of the stage before, with which a loss that has a reference compares. Runs that were stopped or
 * failed keep everything: they are gone on with.
 */
export function filesToDrop(
  runs: readonly Run[],
  { keep, isUnfinished }: { keep: Keep; isUnfinished: boolean },
): Map<TrainingRunId, Set<RunFileRole>> {
  const finished = runs
    .filter(({ status }) => status === "succeeded")
    .toSorted((a, b) => a.stageIndex - b.stageIndex || a.round - b.round);
  const newest = finished.at(-1);
  const lastOfStage = finished.filter((run, i) => finished[i + 1]?.stageIndex !== run.stageIndex);
  const reference = lastOfStage.findLast(({ stageIndex }) => newest !== undefined && stageIndex < newest.stageIndex);
  const isAdapterKept = (run: Run) =>
    keep === "all" ||
    run === newest ||
    (keep === "stages" && lastOfStage.includes(run)) ||
    (isUnfinished && run === reference);
  return new Map(
    finished.map((run) => {
      const roles = new Set<RunFileRole>(["copy"]);
      if (run !== newest || !isUnfinished) roles.add("checkpoint");
      if (!isAdapterKept(run)) roles.add("adapter");
      return [run.id, roles];
    }),
  );
}
