import type { TrainingRunRow, TrainingStep } from "../../shared/contract/training.ts";
import { stageTitle } from "../../shared/loss.ts";
import { judgeTraining, VERDICT_NAMES } from "../../shared/training-verdict.ts";
import { type Html, html } from "./html.ts";
import { type Band, lineChart, type Series } from "./line-chart.ts";

export type RunWithSteps = TrainingRunRow & { steps: TrainingStep[]; skippedSteps: number[] };

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

function verdictTable(runs: readonly RunWithSteps[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th>run</th>
        <th class="n">pairs</th>
        <th class="n">steps</th>
        <th class="n">loss, first epoch</th>
        <th class="n">loss, last epoch</th>
        <th class="n">margin, last epoch</th>
        <th>verdict</th>
      </tr>
    </thead>
    <tbody>
      ${runs.map((run) => {
        const verdict = judgeTraining(run);
        return html`<tr>
          <td>${stageTitle(run)} round ${run.round + 1}</td>
          <td class="n">${run.nPairs}</td>
          <td class="n">${run.steps.length}</td>
          <td class="n">${number(verdict.firstLoss)}</td>
          <td class="n">${number(verdict.lastLoss)}</td>
          <td class="n">${number(verdict.margin)}</td>
          <td>
            ${VERDICT_NAMES[verdict.outcome]}
            <div class="muted">${verdict.sentences.join(" ")}</div>
          </td>
        </tr>`;
      })}
    </tbody>
  </table>`;
}

function number(value: number | null): string {
  return value === null ? "–" : value.toFixed(4);
}
