import { alignSentences, type AlignedRow } from "../../shared/align-sentences.ts";
import { changedShare, changesBetween, changesInWords } from "../../shared/change-counts.ts";
import type { Iteration, ReflectionDetail } from "../../shared/contract/reflection.ts";
import { wordParts } from "../../shared/word-parts.ts";
import { shorten } from "../lib/output.ts";
import { type Html, html } from "./html.ts";

export function reflectionSection(reflection: ReflectionDetail): Html {
  return html`<p>Question: <b>${reflection.question}</b></p>
    ${reflection.iterations.map((iteration, i) => iterationSection(iteration, reflection.iterations[i - 1]))}
    ${reflection.sources.length > 0 ? html`<p class="muted">Sources: ${reflection.sources.map((source) => `${shorten(source.title, 60)}, p. ${source.page}`).join("; ")}</p>` : ""}`;
}

function iterationSection(iteration: Iteration, before: Iteration | undefined): Html {
  const counts = before && changesBetween(before, iteration);
  return html`<section class="iteration">
    <h3>
      Iteration ${iteration.index}
      <span class="muted"
        >${iteration.tokens} tokens, ${(iteration.tookMs / 1000).toFixed(1)}
        s${counts ? `; ${(changedShare(counts) * 100).toFixed(0)} % of the sentences changed (${changesInWords(counts)})` : ""}</span
      >
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
    <pre>${before ? textDiff(before.thinking, iteration.thinking) : iteration.thinking}</pre>
    <h4>answer</h4>
    <pre>${before ? textDiff(before.answer, iteration.answer) : iteration.answer}</pre>
  </section>`;
}

/** Added text underlined on blue, removed text struck through on orange: never by colour alone. */
export function textDiff(before: string, after: string): Html[] {
  return alignSentences(before, after).map((row, i) => {
    const { startsParagraph } = row.kind === "removed" ? row.before : row.after;
    return html`${i === 0 ? "" : startsParagraph ? "\n" : " "}${rowDiff(row)}`;
  });
}

function rowDiff(row: AlignedRow): Html | Html[] {
  if (row.kind === "same") return html`${row.after.text}`;
  if (row.kind === "removed") return html`<del>${row.before.text}</del>${movedMark(row.movedTo)}`;
  if (row.kind === "added") return html`<ins>${row.after.text}</ins>${movedMark(row.movedFrom)}`;
  return wordParts(row.before.text, row.after.text).map(({ kind, text }) => {
    if (kind === "added") return html`<ins>${text}</ins>`;
    return kind === "removed" ? html`<del>${text}</del>` : html`${text}`;
  });
}

function movedMark(otherPlace: number | null): Html | string {
  return otherPlace === null ? "" : html` <span class="muted">moved</span>`;
}
