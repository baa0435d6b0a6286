import { type Html, html } from "./html.ts";

export type Series = { name: string; colour: string; points: readonly { x: number; y: number }[] };
export type Band = { label: string; from: number; to: number };

const WIDTH = 760;
const HEIGHT = 240;
const MARGIN = { left: 56, right: 12, top: 24, bottom: 34 };

/** A line chart as SVG: bands mark the stages, every point is drawn, since a step is a step. */
export function lineChart(options: {
  title: string;
  yLabel: string;
  series: readonly Series[];
  bands: readonly Band[];
}): Html {
  const points = options.series.flatMap((series) => series.points).filter((point) => Number.isFinite(point.y));
  if (points.length === 0) return html`<p class="muted">${options.title}: no values were recorded.</p>`;
  const ticks = niceTicks(Math.min(...points.map((point) => point.y)), Math.max(...points.map((point) => point.y)));
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const lastX = Math.max(...points.map((point) => point.x), 1);
  const x = (value: number) => round(MARGIN.left + ((value - 0.5) / lastX) * (WIDTH - MARGIN.left - MARGIN.right));
  const y = (value: number) =>
    round(HEIGHT - MARGIN.bottom - ((value - low) / (high - low)) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const plotBottom = HEIGHT - MARGIN.bottom;
  return html`<figure>
    <figcaption>${options.title} <span class="muted">${options.yLabel}</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${options.title}">
      ${options.bands.map(
        (band, i) =>
          html`<g>
            <rect
              x="${x(band.from - 0.5)}"
              y="${MARGIN.top}"
              width="${round(x(band.to + 0.5) - x(band.from - 0.5))}"
              height="${plotBottom - MARGIN.top}"
              class="${i % 2 === 0 ? "band" : "band odd"}"
            />
            <text x="${x(band.from - 0.5) + 4}" y="${MARGIN.top - 7}" class="tick">${band.label}</text>
          </g>`,
      )}
      ${ticks.map(
        (tick) =>
          html`<g>
            <line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(tick)}" y2="${y(tick)}" class="grid" />
            <text x="${MARGIN.left - 6}" y="${y(tick) + 4}" class="tick end">${formatTick(tick)}</text>
          </g>`,
      )}
      ${options.series.map(
        (series) =>
          html`<g>
            <polyline
              points="${series.points.map((point) => `${x(point.x)},${y(point.y)}`).join(" ")}"
              fill="none"
              stroke="${series.colour}"
              stroke-width="1.5"
            />
            ${series.points.map((point) => html`<circle cx="${x(point.x)}" cy="${y(point.y)}" r="2" fill="${series.colour}"><title>${series.name}, step ${point.x}: ${point.y.toPrecision(4)}</title></circle>`)}
          </g>`,
      )}
      <text x="${(MARGIN.left + WIDTH) / 2}" y="${HEIGHT - 6}" class="tick middle">optimiser step</text>
    </svg>
    <p class="legend">
      ${options.series.map((series) => html`<span><i style="background:${series.colour}"></i>${series.name}</span>`)}
    </p>
  </figure>`;
}

/** Four to seven round numbers that cover the range. */
export function niceTicks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => span / size <= 5) ?? 10 * power;
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(10)));
}

function formatTick(value: number): string {
  return Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
