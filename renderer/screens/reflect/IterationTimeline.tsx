import { Loader } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import type { Iteration } from "../../../main/shared/contract/reflection.ts";
import { Metric } from "../../components/Metric.tsx";
import { formatCount, formatDuration, formatShare } from "../../lib/format.ts";
import { nameOfIteration, warningOf } from "../../lib/iteration-text.ts";
import type { Comparison } from "../../lib/routes.ts";
import classes from "./IterationTimeline.module.css";
import type { Reflection } from "./ReflectionView.tsx";

export type IterationTimelineProps = {
  reflection: Reflection;
  /** Undefined while the one being written is followed. */
  shown: Comparison | undefined;
  onShow(next: Comparison): void;
  onFollow(): void;
};

export function IterationTimeline({ reflection, shown, onShow, onFollow }: IterationTimelineProps) {
  const { iterations, status, nIterations } = reflection;
  const next = iterations.length;
  const select = (index: number, isBefore: boolean) => {
    const part = shown?.part ?? "thinking";
    if (isBefore) onShow({ before: index, after: shown?.after ?? index, part });
    else onShow({ before: Math.max(0, index - 1), after: index, part });
  };
  const list = useRef<HTMLOListElement>(null);
  const shownIndex = shown?.after ?? next;
  useEffect(() => {
    list.current?.children[shownIndex]?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [shownIndex]);
  return (
    <ol ref={list} className={classes.timeline} aria-label="Iterations" tabIndex={0}>
      {iterations.map((iteration) => (
        <li key={iteration.index}>
          <button
            type="button"
            className={classes.card}
            title="Click to see what this iteration changed; Shift-click to compare from here"
            data-before={shown?.before === iteration.index && shown.before !== shown.after}
            data-after={shown?.after === iteration.index}
            aria-pressed={shown?.after === iteration.index || shown?.before === iteration.index}
            onClick={(event) => select(iteration.index, event.shiftKey)}
          >
            <CardFacts iteration={iteration} />
          </button>
        </li>
      ))}
      {status === "running" && (
        <li>
          <button type="button" className={classes.card} data-after={shown === undefined} onClick={onFollow}>
            <span className={classes.name}>
              <Loader size={12} aria-hidden /> {next <= nIterations ? nameOfIteration(next) : "Merging"}
            </span>
            <span className="dim small num">
              {Math.min(next + 1, nIterations + 1)} of {nIterations + 1}
            </span>
          </button>
        </li>
      )}
    </ol>
  );
}

function CardFacts({ iteration }: { iteration: Iteration }) {
  const { metrics, critique } = iteration;
  const nActedOn = critique.filter(({ actedOn }) => actedOn).length;
  const warning = warningOf(iteration);
  return (
    <>
      <span className={classes.name}>
        {nameOfIteration(iteration.index)}
        <span className="dim num">{formatDuration(iteration.tookMs)}</span>
      </span>
      <Metric
        label="words"
        value={`${formatCount(metrics.nThinkingWords)} + ${formatCount(metrics.nAnswerWords)}`}
        definition="Words of the thinking and of the answer."
      />
      {metrics.changedShare !== null && (
        <Metric
          label="changed"
          value={formatShare(metrics.changedShare)}
          definition="Share of the sentences that differ from the iteration before. Healthy: falling from one iteration to the next."
        />
      )}
      {critique.length > 0 && (
        <Metric
          label="acted on"
          value={`${nActedOn} of ${critique.length} points`}
          definition="Points of the critique that the next thinking acted on. Healthy: most of them."
        />
      )}
      {warning && (
        <span className={classes.warning}>
          <IconAlertTriangle size={12} aria-hidden /> {warning}
        </span>
      )}
    </>
  );
}
