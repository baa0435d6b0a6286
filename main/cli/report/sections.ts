import type { DocumentRow, SearchHit } from "../../shared/contract/corpus.ts";
import type { ParityReport } from "../../shared/contract/model.ts";
import type { PairRow } from "../../shared/contract/preference.ts";
import { stageTitle } from "../../shared/loss.ts";
import { shorten } from "../lib/output.ts";
import { restsOn } from "../lib/pair-text.ts";
import { parityInWords, parityVerdict } from "../lib/parity-words.ts";
import { type Html, html } from "./html.ts";

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
            <span class="tag">${stageTitle(pair)} round ${pair.round + 1}</span>
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
          ${thinkingSources(pair)}
          <p class="muted">
            Pages that were read:
            ${pair.sources.map((source) => `${shorten(source.title, 60)}, p. ${source.page} (${source.role})`).join("; ")}
          </p>
        </details>`,
    )}`;
}

/** Every statement with the words of the papers that it rests on: what a model inferred has no page. */
export function thinkingSources({ thinking, sources }: PairRow): Html {
  const statements = thinking.flatMap((section) => section.statements);
  if (statements.length === 0) return html``;
  return html`<h4 class="thinking">what the thinking rests on</h4>
    <ul>
      ${statements.map(
        (statement) =>
          html`<li>
            ${statement.text} ${restsOn(statement, sources).map((line) => html`<div class="muted">${line}</div>`)}
          </li>`,
      )}
    </ul>`;
}

export function parityTable(report: ParityReport): Html {
  return html`<p>Verdict: <b>${parityVerdict(report.verdict)}</b>. ${report.reasons.join(" ")}</p>
    ${parityInWords(report).map((sentence) => html`<p>${sentence}</p>`)}
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
