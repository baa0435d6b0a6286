import type { ConceptRow, RelationRow } from "../../shared/contract/graph.ts";
import type { DocumentRow, SearchHit } from "../../shared/contract/corpus.ts";
import type { ParityReport } from "../../shared/contract/model.ts";
import type { PairRow } from "../../shared/contract/preference.ts";
import type { ReflectionDetail } from "../../shared/contract/reflection.ts";
import { graphPicture } from "./graph-picture.ts";
import { html } from "./html.ts";
import { reflectionSection } from "./reflection-section.ts";
import { documentTable, pairList, parityTable, searchHits } from "./sections.ts";
import { STYLE } from "./style.ts";
import { type RunWithSteps, trainingCharts } from "./training-charts.ts";

export type ReportData = {
  title: string;
  note: string;
  version: string;
  generatedAt: number;
  recipe: string;
  documents: readonly DocumentRow[];
  search: { query: string; hits: readonly SearchHit[] };
  pairs: readonly PairRow[];
  filterCounts: Record<string, number>;
  /** Rounds that came to fewer pairs than asked for, a line each. */
  shortfalls: readonly string[];
  runs: readonly RunWithSteps[];
  parity: ParityReport;
  reflection: ReflectionDetail;
  graph: { concepts: readonly ConceptRow[]; relations: readonly RelationRow[] };
};

/** One self-contained page: no script, no font, no picture from elsewhere. */
export function renderReport(data: ReportData): string {
  const { markup } = html`<main>
    <h1>${data.title}</h1>
    <p class="muted">
      PRefLexOR Studio ${data.version} · recipe ${data.recipe} · ${new Date(data.generatedAt).toISOString()}
    </p>
    <p class="note">${data.note}</p>
    <nav>
      <a href="#corpus">Corpus</a><a href="#search">Search</a><a href="#pairs">Pairs</a><a href="#training">Training</a
      ><a href="#parity">Parity</a><a href="#reflection">Reflection</a><a href="#graph">Graph</a>
    </nav>
    <h2 id="corpus">Corpus</h2>
    ${documentTable(data.documents)}
    <h2 id="search">Search</h2>
    ${searchHits(data.search.query, data.search.hits)}
    <h2 id="pairs">Preference pairs</h2>
    ${pairList(data.pairs, data.filterCounts)}
    <h2 id="training">Training</h2>
    ${data.shortfalls.map((line) => html`<p class="note">${line}.</p>`)} ${trainingCharts(data.runs)}
    <h2 id="parity">Parity of the exported adapter</h2>
    ${parityTable(data.parity)}
    <h2 id="reflection">Reflection</h2>
    ${reflectionSection(data.reflection)}
    <h2 id="graph">Knowledge graph</h2>
    <p class="muted">
      ${data.graph.concepts.length} concepts, ${data.graph.relations.length} relations, from the thinking of the
      accepted pairs.
    </p>
    ${graphPicture(data.graph.concepts, data.graph.relations)}
  </main>`;
  const csp = "default-src 'none'; style-src 'unsafe-inline'";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${csp}">
<meta name="viewport" content="width=device-width"><title>${html`${data.title}`.markup}</title><style>${STYLE}</style></head>
<body>${markup}</body></html>
`;
}
