import { expect, test } from "vitest";
import { createRunWarnings } from "../../../main/engine/training/run-warnings.ts";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import type { PairProblem } from "../../../main/shared/contract/training.ts";
import type { TrainingRunId } from "../../../main/shared/ids.ts";

test("what the trainer says of pairs is counted with the run, and a restarted trainer says it once", () => {
  const problems: PairProblem[] = [];
  const records: unknown[] = [];
  const said: unknown[] = [];
  const runs = { addPairProblem: (_id: TrainingRunId, problem: PairProblem) => void problems.push(problem) };
  const deps = {
    runs,
    emit: (_name: string, payload: unknown) => void said.push(payload),
  } as unknown as Pick<TrainingDeps, "runs" | "emit">;
  const warnings = createRunWarnings(
    deps,
    "run" as TrainingRunId,
    (kind, payload) => void records.push([kind, payload]),
  );
  const overWindow = {
    event: "warning" as const,
    code: "PAIRS_OVER_WINDOW",
    message: "1 of 2 pairs dropped: longer than the 512 tokens that the model's layers with a sliding window see",
    n: 1,
    of: 2,
  };
  warnings.trainerSaid(overWindow);
  warnings.trainerSaid(overWindow);
  warnings.trainerSaid({
    event: "warning",
    code: "RESPONSES_CUT",
    message: "1 of 2 pairs have a response that was cut",
    n: 1,
    of: 2,
  });
  warnings.trainerSaid({ event: "warning", message: "step 3 gave no finite gradient" });
  expect(problems[0]).toMatchObject({ kind: "pairs_over_window", n: 1, of: 2, isDropped: true });
  expect(problems.at(-1)).toMatchObject({ kind: "responses_cut", isDropped: false });
  expect(said).toHaveLength(3);
  expect(records).toHaveLength(3);
});
