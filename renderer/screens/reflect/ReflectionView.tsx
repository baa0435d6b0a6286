import { useCallback } from "react";
import { Loaded } from "../../components/Loaded.tsx";
import { useLiveText } from "../../engine/live-text.ts";
import { type OutputOf, useEngineQuery } from "../../engine/queries.ts";
import type { Comparison } from "../../lib/routes.ts";
import { navigate } from "../../lib/use-route.ts";
import { DiffPanel } from "./DiffPanel.tsx";
import { FinalAnswer } from "./FinalAnswer.tsx";
import { IterationTimeline } from "./IterationTimeline.tsx";
import { LivePanel } from "./LivePanel.tsx";
import { MetricsTable } from "./MetricsTable.tsx";
import classes from "./Reflect.module.css";
import { ReflectionHeader } from "./ReflectionHeader.tsx";

export type Reflection = OutputOf<"reflection.get">;

export function ReflectionView({ reflectionId, compare }: { reflectionId: string; compare: Comparison | undefined }) {
  const query = useEngineQuery("reflection.get", { reflectionId });
  return (
    <div className={classes.detail}>
      <Loaded query={query} what="The reflection" nRows={10}>
        {(reflection) => <Detail reflection={reflection} compare={compare} />}
      </Loaded>
    </div>
  );
}

function Detail({ reflection, compare }: { reflection: Reflection; compare: Comparison | undefined }) {
  const live = useLiveText((store) => store.byReflection.get(reflection.id));
  const { id, iterations, status } = reflection;
  const isRunning = status === "running";
  const isLive = isRunning && compare === undefined;
  const shown = compare ? within(compare, iterations.length) : newestOf(iterations.length);
  const show = useCallback(
    (next: Comparison) => navigate({ screen: "reflect", reflectionId: id, compare: next }, { replace: true }),
    [id],
  );
  const follow = () => navigate({ screen: "reflect", reflectionId: id }, { replace: true });
  return (
    <>
      <ReflectionHeader reflection={reflection} />
      {!isRunning && <FinalAnswer reflection={reflection} />}
      {(iterations.length > 0 || isRunning) && (
        <IterationTimeline reflection={reflection} shown={isLive ? undefined : shown} onShow={show} onFollow={follow} />
      )}
      {isLive && <LivePanel reflection={reflection} live={live} />}
      {!isLive && shown && <DiffPanel reflection={reflection} shown={shown} onShow={show} />}
      {iterations.length > 0 && !isLive && <MetricsTable iterations={iterations} />}
    </>
  );
}

/** The last step: what the last critique has done to the thinking. */
function newestOf(nIterations: number): Comparison | undefined {
  if (nIterations === 0) return undefined;
  return {
    before: Math.max(0, nIterations - 2),
    after: nIterations - 1,
    part: nIterations > 1 ? "thinking" : "answer",
  };
}

function within(compare: Comparison, nIterations: number): Comparison | undefined {
  if (nIterations === 0) return undefined;
  const last = nIterations - 1;
  return { ...compare, before: Math.min(compare.before, last), after: Math.min(compare.after, last) };
}
