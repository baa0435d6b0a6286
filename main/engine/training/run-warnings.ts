import type { PairProblem } from "../../shared/contract/training.ts";
import type { TrainingRunId } from "../../shared/ids.ts";
import type { TrainingDeps } from "./deps.ts";
import type { TrainerEvent } from "./trainer-events.ts";

export type RunWarnings = {
  /** Kept with the run and said at once. A restarted trainer says the same again: one of a kind is kept. */
  pairProblem(problem: PairProblem): void;
  /** Why a graphics card that is there is not computed on. */
  device(message: string): void;
  trainerSaid(event: TrainerEvent & { event: "warning" }): void;
};

/** What the user should know of a run and that does not end it: in the job's history, on screen, and in the run's row. */
export function createRunWarnings(
  deps: Pick<TrainingDeps, "runs" | "emit">,
  runId: TrainingRunId,
  record: (kind: string, payload: unknown) => void,
): RunWarnings {
  const said = new Set<string>();
  const say = (message: string, payload: unknown) => {
    if (said.has(message)) return;
    said.add(message);
    record("warning", payload);
    deps.emit("training.warning", { runId, message });
  };
  const pairProblem = (problem: PairProblem) => {
    deps.runs.addPairProblem(runId, problem);
    say(problem.message, problem);
  };
  return {
    pairProblem,
    device: (message) => say(message, { code: "DEVICE", message }),
    trainerSaid(event) {
      const { code, n, of, message } = event;
      if (n === undefined || of === undefined) return say(message, event);
      const kind = (code ?? "").toLowerCase();
      pairProblem({ kind, n, of, isDropped: kind.startsWith("pairs_"), message: `${message}.` });
    },
  };
}
