import Sigma from "sigma";
import { EdgeArrowProgram, EdgeLineProgram } from "sigma/rendering";
import { type RefObject, useEffect, useEffectEvent, useImperativeHandle, useRef, useState } from "react";
import type { ConceptRow, RelationRow } from "../../../main/shared/contract/graph.ts";
import { type ColorScheme, conceptColours, dark, light } from "../../lib/colours.ts";
import { ALL_LABELS_SHOWN, type GraphFilter, isConceptShown, type Neighbourhood } from "../../lib/graph-view.ts";
import { extentWithLabels } from "../../lib/spread-labels.ts";
import { ErrorNotice } from "../ErrorNotice.tsx";
import {
  type ConceptGraph,
  createConceptGraph,
  type EdgeAttributes,
  MANY_EDGES,
  type NodeAttributes,
  labelledNodes,
  syncGraph,
} from "./build-graph.ts";
import { hoverDrawer, labelDrawer } from "./draw-labels.ts";
import classes from "./GraphCanvas.module.css";
import { runLayout } from "./run-layout.ts";

export type Position = { id: string; x: number; y: number };
export type GraphCanvasHandle = {
  layOut(): void;
  fit(): void;
  zoom(factor: number): void;
  bringIntoView(conceptId: string): void;
};

export type GraphCanvasProps = {
  concepts: ConceptRow[];
  relations: RelationRow[];
  filter: GraphFilter;
  /** What is kept in full colour; everything else is dimmed. */
  lit: Neighbourhood | null;
  selectedId: string | null;
  colorScheme: ColorScheme;
  handle: RefObject<GraphCanvasHandle | null>;
  onSelectConcept(id: string | null): void;
  onSelectRelation(id: string): void;
  onLaidOut(positions: Position[]): void;
};

type ConceptSigma = Sigma<NodeAttributes, EdgeAttributes>;
/** What the reducers look at; kept outside React because sigma asks for every node of every frame. */
type View = Pick<GraphCanvasProps, "filter" | "lit" | "selectedId" | "colorScheme"> & { hovered: Neighbourhood | null };

/** The graph on WebGL. All of sigma and of the layout is behind this one component. */
export function GraphCanvas(props: GraphCanvasProps) {
  const { concepts, relations, filter, lit, selectedId, colorScheme, handle } = props;
  const container = useRef<HTMLDivElement>(null);
  const view = useRef<View>({ filter, lit, selectedId, colorScheme, hovered: null });
  const latest = useRef(props);
  latest.current = props;
  const [graph] = useState(createConceptGraph);
  const [failure, setFailure] = useState<unknown>(null);
  const [isLayingOut, setIsLayingOut] = useState(false);
  const sigma = useRef<ConceptSigma | null>(null);
  const stopLayout = useRef<() => void>(() => {});

  const layOut = useEffectEvent(() => {
    stopLayout.current();
    setIsLayingOut(true);
    stopLayout.current = runLayout(graph, () => {
      setIsLayingOut(false);
      frameLabels(sigma.current, graph);
      latest.current.onLaidOut(graph.mapNodes((id, { x, y }) => ({ id, x, y })));
    });
  });

  useEffect(() => {
    if (syncGraph(graph, concepts, relations)) layOut();
    sigma.current?.refresh();
  }, [graph, concepts, relations]);

  useEffect(() => {
    if (!container.current) return;
    try {
      sigma.current = createSigma(graph, container.current, view, latest);
      frameLabels(sigma.current, graph);
    } catch (error) {
      setFailure(error);
    }
    return () => {
      stopLayout.current();
      sigma.current?.kill();
      sigma.current = null;
    };
  }, [graph]);

  useEffect(() => {
    Object.assign(view.current, { filter, lit, selectedId, colorScheme });
    sigma.current?.refresh({ skipIndexation: true });
  }, [filter, lit, selectedId, colorScheme]);

  useEffect(() => {
    const { ink, surface, "line-strong": line, dim } = colorScheme === "dark" ? dark : light;
    sigma.current?.setSetting("defaultDrawNodeLabel", labelDrawer({ ink, surface, line }));
    sigma.current?.setSetting("defaultDrawNodeHover", hoverDrawer({ ink, surface, line }));
    sigma.current?.setSetting("edgeLabelColor", { color: dim });
  }, [colorScheme]);

  useImperativeHandle(handle, () => ({
    layOut,
    fit: () => void sigma.current?.getCamera().animatedReset({ duration: 150 }),
    zoom: (factor) => void sigma.current?.getCamera().animatedZoom({ factor, duration: 120 }),
    bringIntoView: (id) => {
      const target = sigma.current;
      // until a frame has been drawn a node's place is in the graph's own units, not in the camera's
      target?.once("afterRender", () => {
        const place = target.getNodeDisplayData(id);
        // what can be seen already stays where it is: the reader's picture of the graph is worth more than a centre
        if (place && !isInView(target, place))
          void target.getCamera().animate({ x: place.x, y: place.y }, { duration: 150 });
      });
      target?.scheduleRender();
    },
  }));

  if (failure) return <ErrorNotice what="The graph cannot be drawn: WebGL is missing here" error={failure} />;
  return (
    <>
      <div
        ref={container}
        className={classes.canvas}
        role="img"
        aria-label={`Graph of ${concepts.length} concepts and ${relations.length} relations`}
      />
      {isLayingOut && (
        <div className={classes.status} role="status">
          Finding places…
        </div>
      )}
    </>
  );
}

function createSigma(
  graph: ConceptGraph,
  container: HTMLElement,
  view: RefObject<View>,
  latest: RefObject<GraphCanvasProps>,
): ConceptSigma {
  const { concepts, relations, colorScheme } = latest.current;
  const { ink, surface, "line-strong": line } = colorScheme === "dark" ? dark : light;
  const isLarge = relations.length > MANY_EDGES;
  const hasAllLabels = concepts.length <= ALL_LABELS_SHOWN;
  const sigma: ConceptSigma = new Sigma<NodeAttributes, EdgeAttributes>(graph, container, {
    labelFont: "'Inter Variable', system-ui, sans-serif",
    labelSize: 12,
    labelWeight: "500",
    labelDensity: isLarge ? 0.6 : hasAllLabels ? 100 : 1.4,
    labelGridCellSize: isLarge ? 120 : 70,
    labelRenderedSizeThreshold: hasAllLabels ? 0 : 6,
    hideEdgesOnMove: isLarge,
    hideLabelsOnMove: isLarge,
    enableEdgeEvents: !isLarge,
    zIndex: true,
    stagePadding: 56,
    minCameraRatio: 0.02,
    maxCameraRatio: 4,
    edgeProgramClasses: { arrow: EdgeArrowProgram, fast: EdgeLineProgram },
    defaultDrawNodeLabel: labelDrawer({ ink, surface, line }),
    defaultDrawNodeHover: hoverDrawer({ ink, surface, line }),
    nodeReducer: (id, data) => reduceNode(id, data, view.current),
    edgeReducer: (id, data) => reduceEdge(id, data, view.current, graph),
  });
  const hover = (conceptId: string | null) => {
    view.current.hovered = conceptId === null ? null : neighboursIn(graph, conceptId);
    container.style.cursor = conceptId === null ? "" : "pointer";
    sigma.refresh({ skipIndexation: true });
  };
  sigma.on("enterNode", ({ node }) => hover(node));
  sigma.on("leaveNode", () => hover(null));
  sigma.on("clickNode", ({ node }) => latest.current.onSelectConcept(node));
  sigma.on("clickEdge", ({ edge }) => latest.current.onSelectRelation(edge));
  sigma.on("clickStage", () => latest.current.onSelectConcept(null));
  return sigma;
}

/** A small graph is framed with its labels; in a large one they are too few and too short to matter. */
function frameLabels(sigma: ConceptSigma | null, graph: ConceptGraph): void {
  const isSmall = graph.order > 1 && graph.order <= ALL_LABELS_SHOWN;
  sigma?.setCustomBBox(isSmall ? extentWithLabels(labelledNodes(graph)) : null);
  sigma?.refresh();
}

const MARGIN_PX = 70;

function isInView(sigma: ConceptSigma, place: { x: number; y: number }): boolean {
  const { x, y } = sigma.framedGraphToViewport(place);
  const { width, height } = sigma.getDimensions();
  return x > MARGIN_PX && y > MARGIN_PX && x < width - MARGIN_PX && y < height - MARGIN_PX;
}

function neighboursIn(graph: ConceptGraph, conceptId: string): Neighbourhood {
  return {
    conceptIds: new Set([conceptId, ...graph.neighbors(conceptId)]),
    relationIds: new Set(graph.edges(conceptId)),
  };
}

function reduceNode(id: string, data: NodeAttributes, { filter, lit, hovered, selectedId, colorScheme }: View) {
  if (!isConceptShown({ type: data.conceptType, firstRound: data.firstRound }, filter))
    return { ...data, hidden: true };
  const focus = hovered ?? lit;
  const isLit = focus === null || focus.conceptIds.has(id);
  if (!isLit) return { ...data, color: colorScheme === "dark" ? dark.line : light.line, label: "", zIndex: 0 };
  return {
    ...data,
    color: conceptColours[colorScheme][data.conceptType],
    highlighted: id === selectedId,
    forceLabel: focus !== null || id === selectedId,
    zIndex: 1,
  };
}

function reduceEdge(
  id: string,
  data: EdgeAttributes,
  { filter, lit, hovered, colorScheme }: View,
  graph: ConceptGraph,
) {
  const [source, target] = graph.extremities(id);
  const isShown =
    data.firstRound <= filter.round &&
    [source, target].every((node) => {
      const { conceptType, firstRound } = graph.getNodeAttributes(node);
      return isConceptShown({ type: conceptType, firstRound }, filter);
    });
  if (!isShown) return { ...data, hidden: true };
  const tokens = colorScheme === "dark" ? dark : light;
  const focus = hovered ?? lit;
  if (focus === null) return { ...data, color: tokens["line-strong"], zIndex: 0 };
  const isLit = focus.relationIds.has(id);
  return {
    ...data,
    color: isLit ? tokens.dim : tokens.sunken,
    size: isLit ? data.size + 1 : data.size,
    zIndex: isLit ? 1 : 0,
  };
}
