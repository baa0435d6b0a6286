import { expect, test } from "vitest";
import type { TrainingStep } from "../../main/shared/contract/training.ts";
import { judgeTraining as judge, type JudgedRun } from "../../main/shared/training-verdict.ts";

type Line = { loss: number; margin?: number; accuracy?: number; norm?: number };

/** Steps of `perEpoch` an epoch, counted as the trainer counts them. */
function steps(lines: Line[], perEpoch = 2): TrainingStep[] {
  return lines.map(({ loss, margin, accuracy, norm }, i) => ({
    step: i + 1,
    epoch: (i + 1) / perEpoch,
    loss,
    metrics: {
      ...(margin === undefined ? {} : { "rewards/margins": margin }),
      ...(accuracy === undefined ? {} : { "rewards/accuracies": accuracy }),
      ...(norm === undefined ? {} : { grad_norm: norm }),
    },
  }));
}
/** Nothing is wrong with a run but what is given. */
const judgeTraining = (run: Pick<JudgedRun, "steps"> & Partial<JudgedRun>) =>
  judge({ skippedSteps: [], pairProblems: [], ...run });
const line = (loss: number, margin: number, accuracy: number): Line => ({ loss, margin, accuracy });

test("a loss that fell and a margin above nothing have learned, with the numbers of the last epoch", () => {
  const verdict = judgeTraining({ steps: steps([line(4, -1, 0), line(3, 0, 0.5), line(2, 1, 1), line(1, 2, 0.5)]) });
  expect(verdict).toEqual({
    outcome: "learned",
    firstLoss: 3.5,
    lastLoss: 1.5,
    margin: 1.5,
    accuracy: 0.75,
    sentences: [
      "The loss fell from 3.5000 in the first epoch to 1.5000 in the last.",
      "In the last epoch the model prefers the chosen response by 1.5000 on average, and ranks it first in 75 % of the pairs.",
    ],
  });
});

test("a loss that rose has not, whatever the margin", () => {
  const verdict = judgeTraining({ steps: steps([line(1, 1, 1), line(1, 1, 1), line(2, 1, 1), line(2, 1, 1)]) });
  expect(verdict.outcome).toBe("failed");
  expect(verdict.sentences[0]).toMatch(/^The loss rose from 1\.0000 .* to 2\.0000/);
});

test("a loss that stands still, a margin the wrong way round and one epoch are not clear", () => {
  expect(judgeTraining({ steps: steps([{ loss: 1 }, { loss: 1 }, { loss: 1.001 }, { loss: 1 }]) })).toMatchObject({
    outcome: "unclear",
    margin: null,
    sentences: [expect.stringMatching(/^The loss hardly moved/)],
  });
  const wrongWay = judgeTraining({ steps: steps([line(2, -1, 0), line(2, -1, 0), line(1, -1, 0), line(1, -1, 0)]) });
  expect(wrongWay).toMatchObject({ outcome: "unclear", margin: -1 });
  expect(wrongWay.sentences[1]).toMatch(/still prefers the rejected response, by 1\.0000/);
  expect(judgeTraining({ steps: steps([{ loss: 2 }, { loss: 1 }]) })).toMatchObject({
    outcome: "unclear",
    sentences: [expect.stringMatching(/one epoch is 1\.5000/)],
  });
});

test("a gradient that jumps is said with its step, and not for a handful of steps", () => {
  const lines = Array.from({ length: 10 }, (_, i) => ({ loss: 10 - i, norm: i === 6 ? 9 : 1 }));
  expect(judgeTraining({ steps: steps(lines) })).toMatchObject({
    outcome: "unclear",
    sentences: [expect.stringMatching(/fell/), expect.stringMatching(/jumped .* at step 7/)],
  });
  expect(judgeTraining({ steps: steps(lines.slice(4, 8)) }).outcome).toBe("learned");
});

test("a step without a finite gradient is said with its number, and a run that had one has not clearly learned", () => {
  const learned = steps([{ loss: 4 }, { loss: 3 }, { loss: 2 }, { loss: 1 }]);
  const one = judgeTraining({ steps: learned, skippedSteps: [3] });
  expect(one).toMatchObject({ outcome: "unclear", sentences: [expect.stringMatching(/fell/), expect.anything()] });
  expect(one.sentences[1]).toMatch(/^Step 3 gave no finite gradient and changed nothing: .* this step\.$/);
  const two = judgeTraining({ steps: learned, skippedSteps: [2, 3] });
  expect(two.sentences[1]).toMatch(/^2 steps, the first of them step 2, gave no finite gradient/);
});

test("dropped pairs are said, and a run without a step has no verdict", () => {
  const problem = { kind: "same_sides", n: 1, of: 2, isDropped: true, message: "1 of 2 pairs dropped: equal" };
  const harmless = { ...problem, isDropped: false, message: "1 of 2 pairs cut" };
  const told = judgeTraining({ steps: steps([{ loss: 1 }]), pairProblems: [problem, harmless] });
  expect(told.sentences.slice(1)).toEqual(["1 of 2 pairs dropped: equal."]);
  expect(judgeTraining({ steps: [] })).toMatchObject({ outcome: "unclear", sentences: ["No step has been made."] });
});
