import { expect, test } from "vitest";
import { graphPicture } from "../../main/cli/report/graph-picture.ts";
import { html } from "../../main/cli/report/html.ts";
import { lineChart, niceTicks } from "../../main/cli/report/line-chart.ts";
import { textDiff } from "../../main/cli/report/reflection-section.ts";
import { type RunWithSteps, trainingCharts } from "../../main/cli/report/training-charts.ts";
import type { ConceptRow } from "../../main/shared/contract/graph.ts";

test("text of papers and models is text, in content and in attributes", () => {
  const evil = `<script>alert(1)</script>" onload='x' &amp;`;
  const { markup } = html`<p title="${evil}">${evil}</p>`;
  expect(markup).not.toContain("<script");
  expect(markup.match(/"/g)).toHaveLength(2);
  expect(markup).toContain("&#38;amp;");
});

test("ticks cover the range with round numbers", () => {
  expect(niceTicks(0.13, 2.9)).toEqual([0, 1, 2, 3]);
  for (const [low, high] of [
    [-3e-6, 4e-6],
    [5, 5],
    [-250, 1900],
  ] as const) {
    const ticks = niceTicks(low, high);
    expect(ticks[0]).toBeLessThanOrEqual(low);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(high);
    expect(ticks.length).toBeLessThan(9);
  }
});

test("a chart draws one point per value inside its frame", () => {
  const points = [1, 2, 3, 4].map((x) => ({ x, y: 5 - x }));
  const { markup } = lineChart({
    title: "loss",
    yLabel: "nats",
    series: [{ name: "a", colour: "#000", points }],
    bands: [],
  });
  expect(markup.match(/<circle/g)).toHaveLength(4);
  for (const [, value] of markup.matchAll(/c[xy]="([\d.]+)"/g)) expect(Number(value)).toBeGreaterThan(0);
});

test("a chart without values says so instead of drawing nothing", () => {
  expect(lineChart({ title: "loss", yLabel: "", series: [], bands: [] }).markup).toContain("no values");
});

test("each run has its verdict in words, and a dash where it has no such number", () => {
  const steps = [4, 3, 2, 1].map((loss, i) => ({ step: i + 1, epoch: (i + 1) / 2, loss, metrics: {} }));
  const run = {
    stage: "warm-up",
    loss: "sft",
    round: 0,
    nPairs: 4,
    steps,
    skippedSteps: [],
    pairProblems: [],
  } as unknown as RunWithSteps;
  const { markup } = trainingCharts([run]);
  expect(markup).toContain("Learned");
  expect(markup).toContain("The loss fell from 3.5000 in the first epoch to 1.5000 in the last.");
  expect(markup).not.toContain("NaN");
});

test("stages of one loss have a curve each, under their own names", () => {
  const steps = [1, 2].map((step) => ({ step, epoch: step, loss: step, metrics: {} }));
  const rest = { loss: "orpo", nPairs: 2, steps, skippedSteps: [], pairProblems: [] };
  const run = (stage: string, round: number) => ({ ...rest, stage, round }) as unknown as RunWithSteps;
  const { markup } = trainingCharts([run("whole", 0), run("whole", 1), run("answers", 0)]);
  expect([...markup.matchAll(/aria-label="(.*?)"/g)].map(([, title]) => title)).toEqual([
    "whole (ORPO) loss by step",
    "answers (ORPO) loss by step",
  ]);
  expect(markup.match(/<circle/g)).toHaveLength(6);
});

test("a comparison marks what came and what went, and keeps the rest", () => {
  const markup = (before: string, after: string) =>
    textDiff(before, after)
      .map((part) => part.markup)
      .join("");
  expect(markup("Carbon helps.\nIt is light.", "Carbon helps electrodes.\nIt is light.")).toBe(
    "Carbon helps<ins> electrodes</ins>.\nIt is light.",
  );
  expect(markup("<b>", "")).toBe("<del>&#60;b&#62;</del>");
});

test("the same graph gives the same picture", () => {
  const concepts = ["a", "b", "c"].map((label) => ({
    id: label,
    label,
    type: "material",
    nEvidence: 1,
    firstRound: 0,
    x: null,
    y: null,
  }));
  const rows = concepts as unknown as ConceptRow[];
  expect(graphPicture(rows, []).markup).toBe(graphPicture(rows, []).markup);
});
