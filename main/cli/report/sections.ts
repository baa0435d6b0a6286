import { diffWordsWithSpace } from "diff";
import type { DocumentRow, SearchHit } from "../../shared/contract/corpus.ts";
import type { ParityReport } from "../../shared/contract/model.ts";
import type { PairRow } from "../../shared/contract/preference.ts";
import type { Iteration, ReflectionDetail } from "../../shared/contract/reflection.ts";
import type { TrainingRunRow, TrainingStep } from "../../shared/contract/training.ts";
import { shorten } from "../lib/output.ts";
import { type Html, html } from "./html.ts";
import { type Band, lineChart, type Series } from "./line-chart.ts";

export type RunWithSteps = TrainingRunRow & { steps: TrainingStep[] };

export function documentTable(documents: readonly DocumentRow[]): Html {
  return html`<table>
    <thead>
      <tr>
        <th>title</th>
        <th class="n">pages</th>
        <th class="n">with text</th>
        <th class="n">chunks</th>
        <th>state</th>
      </tr>
    </thead>
    <tbody>
      ${documents.map(
        (row) =>
          html`<tr>
            <td>
              ${row.title}
              <div class="muted">${row.fileName}</div>
            </td>
            <td class="n">${row.nPages}</td>
            <td class="n">${row.nPagesWithText}</td>
            <td class="n">${row.nChunks}</td>
            <td>${row.reason ?? row.status}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

export function searchHits(query: string, hits: readonly SearchHit[]): Html {
  return html`<p>Question: <b>${query}</b></p>
    <ol>
      ${hits.map(
        (hit) =>
          html`<li>
            <b>${hit.title}</b>, page ${hit.page}
            <span class="muted"
              >characters ${hit.start}–${hit.end}; rank by meaning ${hit.ranks.vector ?? "–"}, by words
              ${hit.ranks.text ?? "–"}</span
            >
            <blockquote>${hit.text}</blockquote>
          </li>`,
      )}
    </ol>`;
}

export function pairList(pairs: readonly PairRow[], filterCounts: Record<string, number>): Html {
  const accepted = pairs.filter((pair) => pair.status === "accepted");
  const reasons = Object.entries(filterCounts).map(([reason, count]) => `${reason} × ${count}`);
  return html`<p>
      ${accepted.length} pairs were accepted, ${pairs.length - accepted.length}
      filtered${reasons.length > 0 ? `: ${reasons.join(", ")}` : ""}.
    </p>
    ${pairs.map(
      (pair) =>
        html`<details class="pair">
          <summary>
            <span class="tag">${pair.stage.toUpperCase()} round ${pair.round + 1}</span>
            ${pair.question || "(no question)"}
            ${pair.status === "filtered" ? html`<span class="tag filtered">filtered: ${pair.filterReason}</span>` : ""}
          </summary>
          <div class="two">
            <div>
              <h4 class="chosen">chosen</h4>
              <pre>${pair.chosen}</pre>
            </div>
            <div>
              <h4 class="rejected">rejected</h4>
              <pre>${pair.rejected}</pre>
            </div>
          </div>
          <p class="muted">
            Pages:
            ${pair.sources.map((source) => `${shorten(source.title, 60)}, p. ${source.page} (${source.role})`).join("; ")}
          </p>
        </details>`,
    )}`;
}

const STAGE_COLOURS = { orpo: "#0f766e", exo: "#6d28d9" };

/** Loss and margin of all rounds, one after the other, from the metrics that the runs stored. */
export function trainingCharts(runs: readonly RunWithSteps[]): Html {
  const bands: Band[] = [];
  const loss: Record<"orpo" | "exo", { x: number; y: number }[]> = { orpo: [], exo: [] };
  const margins: Record<"orpo" | "exo", { x: number; y: number }[]> = { orpo: [], exo: [] };
  let offset = 0;
  for (const run of runs) {
    bands.push({
      label: `${run.stage.toUpperCase()} ${run.round + 1}`,
      from: offset + 1,
      to: offset + run.steps.length,
    });
    for (const step of run.steps) {
      loss[run.stage].push({ x: offset + step.step, y: step.loss });
      const margin = step.metrics["rewards/margins"];
      if (margin !== undefined) margins[run.stage].push({ x: offset + step.step, y: margin });
    }
    offset += run.steps.length;
  }
  const series = (values: typeof loss, stage: "orpo" | "exo", name: string): Series[] =>
    values[stage].length > 0
      ? [{ name: `${stage.toUpperCase()} ${name}`, colour: STAGE_COLOURS[stage], points: values[stage] }]
      : [];
  const bandsOf = (stage: "orpo" | "exo") => bands.filter((band) => band.label.startsWith(stage.toUpperCase()));
  const shifted = (stage: "orpo" | "exo") => shiftToOne(series(loss, stage, "loss"), bandsOf(stage));
  return html`${lineChart({ title: "ORPO loss by step", yLabel: "loss (nats)", ...shifted("orpo") })}
  ${lineChart({ title: "EXO loss by step", yLabel: "loss (nats)", ...shifted("exo") })}
  ${lineChart({ title: "Reward margin (chosen − rejected) by step", yLabel: "margin", series: [...series(margins, "orpo", "margin"), ...series(margins, "exo", "margin")], bands })}
  ${verdictTable(runs)}`;
}

/** Starts the steps of one stage at 1. */
function shiftToOne(series: Series[], bands: Band[]): { series: Series[]; bands: Band[] } {
  const by = (bands[0]?.from ?? 1) - 1;
  return {
    series: series.map((one) => ({ ...one, points: one.points.map((point) => ({ x: point.x - by, y: point.y })) })),
    bands: bands.map((band) => ({ label: band.label, from: band.from - by, to: band.to - by })),
  };
}

export type RunVerdict = {
  stage: string;
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
            <td>${row.stage.toUpperCase()} round ${row.round + 1}</td>
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

export function parityTable(report: ParityReport): Html {
  return html`<p>
      Verdict: <b>${report.verdict}</b>. ${report.reasons.join(" ")} ${limitInWords(report)} The mean difference of a
      token is ${report.meanAbsDifference?.toExponential(2) ?? "unknown"} (of the base model alone
      ${report.baseMeanAbsDifference?.toExponential(2) ?? "unknown"}), the largest
      ${report.maxAbsDifference?.toExponential(2) ?? "unknown"}. The adapter changes log-probs by
      ${report.adapterEffect?.toFixed(4) ?? "?"} per token.
    </p>
    <table>
      <thead>
        <tr>
          <th>probe</th>
          <th class="n">tokens</th>
          <th class="n">trainer</th>
          <th class="n">llama.cpp</th>
          <th class="n">difference of a token: mean</th>
          <th class="n">largest</th>
        </tr>
      </thead>
      <tbody>
        ${report.rows.map(
          (row) =>
            html`<tr>
              <td>${row.id} ${row.side}</td>
              <td class="n">${row.nTokens}</td>
              <td class="n">${row.trainerLogpSum.toFixed(4)}</td>
              <td class="n">${row.llamaLogpSum.toFixed(4)}</td>
              <td class="n">${row.meanAbsDifference.toExponential(2)}</td>
              <td class="n">${row.maxAbsDifference.toExponential(2)}</td>
            </tr>`,
        )}
      </tbody>
    </table>`;
}

function limitInWords({ measure, tolerance }: ParityReport): string {
  const limit = tolerance.toPrecision(2);
  return measure === "max_abs_difference"
    ? `Every token has to agree within ${limit}.`
    : `At most ${limit} per token on average is allowed.`;
}

export function reflectionSection(reflection: ReflectionDetail): Html {
  return html`<p>Question: <b>${reflection.question}</b></p>
    ${reflection.iterations.map((iteration, i) => iterationSection(iteration, reflection.iterations[i - 1]))}
    ${reflection.sources.length > 0 ? html`<p class="muted">Sources: ${reflection.sources.map((source) => `${shorten(source.title, 60)}, p. ${source.page}`).join("; ")}</p>` : ""}`;
}

function iterationSection(iteration: Iteration, before: Iteration | undefined): Html {
  return html`<section class="iteration">
    <h3>
      Iteration ${iteration.index}
      <span class="muted">${iteration.tokens} tokens, ${(iteration.tookMs / 1000).toFixed(1)} s</span>
    </h3>
    ${
      iteration.critique.length > 0
        ? html`<h4 class="reflection">critique</h4>
            <ol>
              ${iteration.critique.map((point) => html`<li>${point.point} <span class="muted">${point.actedOn ? "acted on" : "not acted on"}</span></li>`)}
            </ol>`
        : ""
    }
    <h4 class="thinking">thinking</h4>
    <pre>${before ? wordDiff(before.thinking, iteration.thinking) : iteration.thinking}</pre>
    <h4>answer</h4>
    <pre>${before ? wordDiff(before.answer, iteration.answer) : iteration.answer}</pre>
  </section>`;
}

/** Added words underlined on blue, removed ones struck through on orange: never by colour alone. */
export function wordDiff(before: string, after: string): Html[] {
  return diffWordsWithSpace(before, after).map((part) => {
    if (part.added) return html`<ins>${part.value}</ins>`;
    if (part.removed) return html`<del>${part.value}</del>`;
    return html`${part.value}`;
  });
}
