import type { TrainingRunRow, TrainingStep } from "../../shared/contract/training.ts";
import { stageTitle } from "../../shared/loss.ts";
import { type Html, html } from "./html.ts";
import { type Band, lineChart, type Series } from "./line-chart.ts";

export type RunWithSteps = TrainingRunRow & { steps: TrainingStep[] };

/** One a stage, in their order, and from the start again when there are more. */
const STAGE_COLOURS = ["#0f766e", "#6d28d9", "#b45309", "#1d4ed8", "#be123c"];

type StageCurves = { title: string; loss: Series; margins: Series; bands: Band[]; firstX: number };

/** For each stage its loss over all its rounds, then the margins of all stages, from the metrics that the runs stored. */
export function trainingCharts(runs: readonly RunWithSteps[]): Html {
  const stages = curvesByStage(runs);
  const bands = stages.flatMap((stage) => stage.bands);
  const margins = stages.map((stage) => stage.margins).filter((series) => series.points.length > 0);
  return html`${stages.map((stage) =>
    lineChart({ title: `${stage.title} loss by step`, yLabel: "loss (nats)", ...shiftToOne(stage) }),
  )}
  ${lineChart({ title: "Reward margin (chosen − rejected) by step", yLabel: "margin", series: margins, bands })}
  ${verdictTable(runs)}`;
}

/** The steps of all runs, one run after the other, gathered by stage. */
function curvesByStage(runs: readonly RunWithSteps[]): StageCurves[] {
  const stages = new Map<string, StageCurves & { loss: MutableSeries; margins: MutableSeries }>();
  let offset = 0;
  for (const run of runs) {
    const title = stageTitle(run);
    const colour = STAGE_COLOURS[stages.size % STAGE_COLOURS.length] ?? "";
    const series = (name: string): MutableSeries => ({ name: `${title} ${name}`, colour, points: [] });
    const stage = stages.get(run.stage) ?? {
      title,
      loss: series("loss"),
      margins: series("margin"),
      bands: [],
      firstX: offset + 1,
    };
    stages.set(run.stage, stage);
    stage.bands.push({ label: `${title} ${run.round + 1}`, from: offset + 1, to: offset + run.steps.length });
    for (const step of run.steps) {
      stage.loss.points.push({ x: offset + step.step, y: step.loss });
      const margin = step.metrics["rewards/margins"];
      if (margin !== undefined) stage.margins.points.push({ x: offset + step.step, y: margin });
    }
    offset += run.steps.length;
  }
  return [...stages.values()];
}

type MutableSeries = Series & { points: { x: number; y: number }[] };

/** Starts the steps of one stage at 1. */
function shiftToOne({ loss, bands, firstX }: StageCurves): { series: Series[]; bands: Band[] } {
  const by = firstX - 1;
  return {
    series: [{ ...loss, points: loss.points.map((point) => ({ x: point.x - by, y: point.y })) }],
    bands: bands.map((band) => ({ label: band.label, from: band.from - by, to: band.to - by })),
  };
}

export type RunVerdict = {
  stage: string;
  loss: string;
  round: number;
  nPairs: number;
  nSteps: number;
  firstLoss: number;
  lastLoss: number;
  margin: number;
  hasFallen: boolean;
};

/** Mean loss of the first and of the last epoch, and the last epoch's mean margin. */
export function verdictOf(run: RunWithSteps): RunVerdict {
  const perEpoch = Math.max(1, Math.round(run.steps.length / Math.max(1, Math.ceil(run.steps.at(-1)?.epoch ?? 1))));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const firstLoss = mean(run.steps.slice(0, perEpoch).map((step) => step.loss));
  const last = run.steps.slice(-perEpoch);
  const lastLoss = mean(last.map((step) => step.loss));
  const margin = mean(last.map((step) => step.metrics["rewards/margins"] ?? Number.NaN));
  return {
    stage: run.stage,
    loss: run.loss,
    round: run.round,
    nPairs: run.nPairs,
    nSteps: run.steps.length,
    firstLoss,
    lastLoss,
    margin,
    hasFallen: lastLoss < firstLoss,
  };
}

function verdictTable(runs: readonly RunWithSteps[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th>run</th>
        <th class="n">pairs</th>
        <th class="n">steps</th>
        <th class="n">loss, first epoch</th>
        <th class="n">loss, last epoch</th>
        <th>loss</th>
        <th class="n">margin, last epoch</th>
      </tr>
    </thead>
    <tbody>
      ${runs.map(verdictOf).map(
        (row) =>
          html`<tr>
            <td>${stageTitle(row)} round ${row.round + 1}</td>
            <td class="n">${row.nPairs}</td>
            <td class="n">${row.nSteps}</td>
            <td class="n">${row.firstLoss.toFixed(4)}</td>
            <td class="n">${row.lastLoss.toFixed(4)}</td>
            <td>${row.hasFallen ? "fell" : "did not fall"}</td>
            <td class="n">${row.margin.toFixed(4)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
