import { Tooltip } from "@mantine/core";
import type { Iteration } from "../../../main/shared/contract/reflection.ts";
import { formatCount, formatDuration, formatShare } from "../../lib/format.ts";
import { nameOfIteration } from "../../lib/iteration-text.ts";
import classes from "./MetricsTable.module.css";

type Column = { label: string; definition: string; value(iteration: Iteration): string };

const similarity = (value: number | null) => (value === null ? "–" : value.toFixed(3));

const COLUMNS: Column[] = [
  {
    label: "Thinking, words",
    definition: "Words of the thinking.",
    value: ({ metrics }) => formatCount(metrics.nThinkingWords),
  },
  {
    label: "Answer, words",
    definition: "Words of the answer.",
    value: ({ metrics }) => formatCount(metrics.nAnswerWords),
  },
  {
    label: "Changed",
    definition: "Share of the sentences that differ from the iteration before. Healthy: falling.",
    value: ({ metrics }) => (metrics.changedShare === null ? "–" : formatShare(metrics.changedShare)),
  },
  {
    label: "Thinking similarity",
    definition:
      "Cosine of the embeddings of this thinking and the one before. 1 means the same meaning; healthy: rising.",
    value: ({ metrics }) => similarity(metrics.thinkingSimilarity),
  },
  {
    label: "Answer similarity",
    definition:
      "Cosine of the embeddings of this answer and the one before. 1 means the same meaning; healthy: rising.",
    value: ({ metrics }) => similarity(metrics.answerSimilarity),
  },
  {
    label: "Repetition",
    definition: "Share of 4-word sequences of the answer that occur more than once. Healthy: below 10 %.",
    value: ({ metrics }) => formatShare(metrics.repetition),
  },
  {
    label: "Critique",
    definition: "Points acted on, of all points of the critique.",
    value: ({ critique }) =>
      critique.length === 0 ? "–" : `${critique.filter(({ actedOn }) => actedOn).length} of ${critique.length}`,
  },
  { label: "Tokens", definition: "Tokens generated in this iteration.", value: ({ tokens }) => formatCount(tokens) },
  { label: "Time", definition: "Time that this iteration took.", value: ({ tookMs }) => formatDuration(tookMs) },
  {
    label: "Form",
    definition: "What was wrong with the form of the output.",
    value: ({ problems }) => problems.join("; ") || "good",
  },
];

export function MetricsTable({ iterations }: { iterations: Iteration[] }) {
  return (
    <section className={classes.section} aria-label="Metrics" tabIndex={0}>
      <table className={classes.table}>
        <thead>
          <tr>
            <th scope="col">Iteration</th>
            {COLUMNS.map(({ label, definition }) => (
              <Tooltip key={label} label={definition}>
                <th scope="col">{label}</th>
              </Tooltip>
            ))}
          </tr>
        </thead>
        <tbody>
          {iterations.map((iteration) => (
            <tr key={iteration.index}>
              <th scope="row">{nameOfIteration(iteration.index)}</th>
              {COLUMNS.map(({ label, value }) => (
                <td key={label}>{value(iteration)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
