import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import type { ConceptId } from "../../../main/shared/ids.ts";
import { GraphCanvas, type GraphCanvasHandle, type Position } from "../../components/graph/GraphCanvas.tsx";
import { Loaded } from "../../components/Loaded.tsx";
import { ScreenHeader } from "../../components/ScreenHeader.tsx";
import { type OutputOf, useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import { type Neighbourhood, neighbourhoodOf } from "../../lib/graph-view.ts";
import type { GraphFocus } from "../../lib/routes.ts";
import { navigate, useRoute } from "../../lib/use-route.ts";
import { EvidencePanel } from "./EvidencePanel.tsx";
import classes from "./Graph.module.css";
import { GraphEmpty } from "./GraphEmpty.tsx";
import { useGraphSettings } from "./graph-settings.ts";
import { GraphTools } from "./GraphTools.tsx";
import { RoundScrubber } from "./RoundScrubber.tsx";
import { TypeLegend } from "./TypeLegend.tsx";

export type GraphData = OutputOf<"graph.get">;
type Path = OutputOf<"graph.path">;

export default function GraphScreen() {
  const query = useEngineQuery("graph.get", {});
  const route = useRoute();
  const focus = route.screen === "graph" ? route.focus : undefined;
  const isEmpty = query.data?.concepts.length === 0;
  return (
    <>
      <ScreenHeader
        title="Graph"
        summary={
          query.data &&
          !isEmpty &&
          `${plural(query.data.concepts.length, "concept")} · ${plural(query.data.relations.length, "relation")}`
        }
      >
        {query.data && !isEmpty && <GraphTools data={query.data} focus={focus} />}
      </ScreenHeader>
      <Loaded query={query} what="The graph">
        {(data) => (data.concepts.length === 0 ? <GraphEmpty /> : <Explorer data={data} focus={focus} />)}
      </Loaded>
    </>
  );
}

function Explorer({ data, focus }: { data: GraphData; focus: GraphFocus | undefined }) {
  const { concepts, relations } = data;
  const colorScheme = useComputedColorScheme("light");
  const { hiddenTypes } = useGraphSettings();
  const handle = useRef<GraphCanvasHandle>(null);
  const { mutate: savePositions } = useEngineCommand("graph.savePositions");
  const lastRound = Math.max(0, ...concepts.map(({ firstRound }) => firstRound));
  const [round, setRound] = useState<number | null>(null);
  const shownRound = round ?? lastRound;
  const filter = useMemo(() => ({ hiddenTypes: new Set(hiddenTypes), round: shownRound }), [hiddenTypes, shownRound]);
  const path = usePath(focus);
  const lit = useMemo(() => litBy(focus, data, path), [focus, data, path]);
  const selectedId = focus?.kind === "concept" ? focus.id : null;
  const isPath = focus?.kind === "path";

  useEffect(() => {
    if (selectedId) handle.current?.bringIntoView(selectedId);
    if (isPath) handle.current?.fit();
  }, [selectedId, isPath]);

  return (
    <div className={classes.explorer}>
      <div className={classes.stage}>
        <GraphCanvas
          concepts={concepts}
          relations={relations}
          filter={filter}
          lit={lit}
          selectedId={selectedId}
          colorScheme={colorScheme}
          handle={handle}
          onSelectConcept={(id) =>
            navigate(id === null ? { screen: "graph" } : { screen: "graph", focus: { kind: "concept", id } })
          }
          onSelectRelation={(id) => navigate({ screen: "graph", focus: { kind: "relation", id } })}
          onLaidOut={(positions) => savePositions({ positions: positions.map(asSaved) })}
        />
        <TypeLegend concepts={concepts} handle={handle} />
        {lastRound > 0 && <RoundScrubber data={data} lastRound={lastRound} round={shownRound} onRound={setRound} />}
      </div>
      <EvidencePanel data={data} focus={focus} path={path} />
    </div>
  );
}

function usePath(focus: GraphFocus | undefined): Path | undefined {
  const isPath = focus?.kind === "path";
  const ids = { fromId: (isPath ? focus.fromId : "") as ConceptId, toId: (isPath ? focus.toId : "") as ConceptId };
  const { data } = useEngineQuery("graph.path", ids, { enabled: isPath });
  return isPath ? data : undefined;
}

function litBy(focus: GraphFocus | undefined, { relations }: GraphData, path: Path | undefined): Neighbourhood | null {
  if (!focus) return null;
  if (focus.kind === "concept") return neighbourhoodOf(focus.id, relations);
  if (focus.kind === "relation") {
    const relation = relations.find(({ id }) => id === focus.id);
    return relation
      ? { conceptIds: new Set([relation.sourceId, relation.targetId]), relationIds: new Set([relation.id]) }
      : null;
  }
  const ends = [focus.fromId, focus.toId];
  return { conceptIds: new Set([...ends, ...(path?.conceptIds ?? [])]), relationIds: new Set(path?.relationIds ?? []) };
}

/** Tenths of a unit are less than a pixel on any screen. */
function asSaved({ id, x, y }: Position) {
  return { id: id as ConceptId, x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 };
}
