import type { PairProblem, TrainingStep } from "./contract/training.ts";

/** What the verdict reads of a run. */
export type JudgedRun = {
  /** Those that have a finite loss. */
  steps: readonly TrainingStep[];
  /** Of all steps those whose loss or gradient was not finite: they changed nothing. */
  skippedSteps: readonly number[];
  pairProblems: readonly PairProblem[];
};

/**
 * Whether a training run learned what it should, by plain rules on its own steps: `learned`, `unclear`, or `failed`.
 * The sentences say why, the most important first.
 */
export type TrainingVerdict = {
  outcome: "learned" | "unclear" | "failed";
  /** Means over the first and the last epoch; null where there is no such number. */
  firstLoss: number | null;
  lastLoss: number | null;
  margin: number | null;
  accuracy: number | null;
  sentences: string[];
};

/** Below this relative change a loss has not moved. */
const LEAST_CHANGE = 0.01;
/** A gradient norm this many times the usual one is a spike. */
const SPIKE = 5;
/** Fewer steps than this say nothing about spikes. */
const FEWEST_STEPS_FOR_SPIKES = 8;

export function judgeTraining({ steps, skippedSteps, pairProblems }: JudgedRun): TrainingVerdict {
  const { first, last, nEpochs } = epochsOf(steps);
  const numbers = {
    firstLoss: mean(first.map(({ loss }) => loss)),
    lastLoss: mean(last.map(({ loss }) => loss)),
    margin: meanMetric(last, "rewards/margins"),
    accuracy: meanMetric(last, "rewards/accuracies"),
  };
  const dropped = pairProblems
    .filter(({ isDropped }) => isDropped)
    .map(({ message }) => `${message.replace(/\.$/, "")}.`);
  if (steps.length === 0) return { outcome: "unclear", ...numbers, sentences: ["No step has been made.", ...dropped] };
  const judgements = [
    judgeLoss(numbers.firstLoss ?? 0, numbers.lastLoss ?? 0, nEpochs),
    judgeMargin(numbers),
    judgeSkipped(skippedSteps),
    judgeGradients(steps),
  ].filter((judgement) => judgement !== null);
  const outcomes = judgements.map(({ outcome }) => outcome);
  const outcome = outcomes.includes("failed") ? "failed" : outcomes.includes("unclear") ? "unclear" : "learned";
  return { outcome, ...numbers, sentences: [...judgements.map(({ sentence }) => sentence), ...dropped] };
}

/** "Learned", for headings. */
export const VERDICT_NAMES: Record<TrainingVerdict["outcome"], string> = {
  learned: "Learned",
  unclear: "Not clear",
  failed: "Did not learn",
};

type Judgement = { outcome: TrainingVerdict["outcome"]; sentence: string };

function judgeLoss(first: number, last: number, nEpochs: number): Judgement {
  if (nEpochs < 2)
    return {
      outcome: "unclear",
      sentence: `The mean loss of the one epoch is ${last.toFixed(4)}; with a second one it could be said whether it falls.`,
    };
  const numbers = `from ${first.toFixed(4)} in the first epoch to ${last.toFixed(4)} in the last`;
  const change = (first - last) / Math.max(Math.abs(first), 1e-9);
  if (change >= LEAST_CHANGE) return { outcome: "learned", sentence: `The loss fell ${numbers}.` };
  if (change > -LEAST_CHANGE)
    return {
      outcome: "unclear",
      sentence: `The loss hardly moved, ${numbers}: more epochs or a higher learning rate.`,
    };
  return { outcome: "failed", sentence: `The loss rose ${numbers}: the learning rate is too high for these pairs.` };
}

/** A loss on chosen responses alone has no margin, and then there is nothing to say. */
function judgeMargin({ margin, accuracy }: Pick<TrainingVerdict, "margin" | "accuracy">): Judgement | null {
  if (margin === null) return null;
  const ranked = accuracy === null ? "" : `, and ranks it first in ${Math.round(accuracy * 100)} % of the pairs`;
  if (margin > 0) {
    return {
      outcome: "learned",
      sentence: `In the last epoch the model prefers the chosen response by ${margin.toFixed(4)} on average${ranked}.`,
    };
  }
  return {
    outcome: "unclear",
    sentence: `In the last epoch the model still prefers the rejected response, by ${(-margin).toFixed(4)} on average${ranked}.`,
  };
}

function judgeSkipped([first, ...rest]: readonly number[]): Judgement | null {
  if (first === undefined) return null;
  const where = rest.length === 0 ? `Step ${first}` : `${rest.length + 1} steps, the first of them step ${first},`;
  return {
    outcome: "unclear",
    sentence: `${where} gave no finite gradient and changed nothing: lower the learning rate, or look at the pairs of ${rest.length === 0 ? "this step" : "these steps"}.`,
  };
}

function judgeGradients(steps: readonly TrainingStep[]): Judgement | null {
  const norms = steps.flatMap(({ step, metrics }) => {
    const norm = metrics["grad_norm"];
    return norm === undefined ? [] : [{ step, norm }];
  });
  if (norms.length < FEWEST_STEPS_FOR_SPIKES) return null;
  const usual = norms.map(({ norm }) => norm).toSorted((a, b) => a - b)[Math.floor(norms.length / 2)]!;
  const spikes = norms.filter(({ norm }) => norm > SPIKE * usual);
  if (spikes.length === 0) return null;
  const where =
    spikes.length === 1 ? `at step ${spikes[0]!.step}` : `at ${spikes.length} steps, first at ${spikes[0]!.step}`;
  return {
    outcome: "unclear",
    sentence: `The gradient jumped to more than ${SPIKE} times its usual size ${where}: look at the pairs of these steps.`,
  };
}

/** The steps of the first and of the last epoch. The trainer counts epochs in parts: 0.5, 1, 1.5 … */
function epochsOf(steps: readonly TrainingStep[]) {
  const nEpochs = Math.max(1, Math.ceil(steps.at(-1)?.epoch ?? 1));
  const perEpoch = Math.max(1, Math.round(steps.length / nEpochs));
  return {
    first: steps.slice(0, perEpoch),
    last: steps.slice(-perEpoch),
    nEpochs: steps.length > perEpoch ? nEpochs : 1,
  };
}

function meanMetric(steps: readonly TrainingStep[], name: string): number | null {
  return mean(steps.flatMap(({ metrics }) => metrics[name] ?? []));
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
