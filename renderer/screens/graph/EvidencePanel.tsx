import type { RelationId } from "../../../main/shared/ids.ts";
import { IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { IconButton } from "../../components/IconButton.tsx";
import { Loaded } from "../../components/Loaded.tsx";
import { type OutputOf, useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import { type GraphFocus, hrefOf } from "../../lib/routes.ts";
import { navigate } from "../../lib/use-route.ts";
import { EvidenceList } from "./EvidenceList.tsx";
import classes from "./Graph.module.css";
import type { GraphData } from "./GraphScreen.tsx";
import { Overview } from "./Overview.tsx";
import { RelationLine } from "./RelationLine.tsx";

export type EvidencePanelProps = {
  data: GraphData;
  focus: GraphFocus | undefined;
  path: OutputOf<"graph.path"> | undefined;
};

/** What the corpus says for what is chosen on the graph, sentence by sentence, each with its page. */
export function EvidencePanel({ data, focus, path }: EvidencePanelProps) {
  return (
    <aside className={classes.panel} aria-label="Evidence">
      {!focus && <Overview data={data} />}
      {focus?.kind === "concept" && <ConceptEvidence data={data} id={focus.id} />}
      {focus?.kind === "relation" && <RelationEvidence data={data} id={focus.id} />}
      {focus?.kind === "path" && <PathEvidence data={data} focus={focus} path={path} />}
    </aside>
  );
}

function ConceptEvidence({ data, id }: { data: GraphData; id: string }) {
  const concept = data.concepts.find((row) => row.id === id);
  const evidence = useEngineQuery("graph.evidence", { conceptId: id }, { enabled: concept !== undefined });
  if (!concept) return <Gone what="concept" />;
  const relations = data.relations.filter(({ sourceId, targetId }) => sourceId === id || targetId === id);
  return (
    <>
      <PanelTitle
        title={concept.label}
        summary={`${concept.type} · first in round ${concept.firstRound} · ${plural(relations.length, "relation")}`}
      />
      {relations.length > 0 && (
        <section className={classes.section} aria-label="Relations">
          {relations.map((relation) => (
            <RelationLine key={relation.id} data={data} relation={relation} hereId={id} />
          ))}
        </section>
      )}
      <Loaded query={evidence} what="The evidence">
        {(rows) => <EvidenceList rows={rows} words={[concept.label]} />}
      </Loaded>
    </>
  );
}

function RelationEvidence({ data, id }: { data: GraphData; id: string }) {
  const relation = data.relations.find((row) => row.id === id);
  const evidence = useEngineQuery("graph.evidence", { relationId: id }, { enabled: relation !== undefined });
  if (!relation) return <Gone what="relation" />;
  return (
    <>
      <PanelTitle
        title={relation.type}
        summary={`relation · first in round ${relation.firstRound} · ${plural(relation.nEvidence, "piece")} of evidence`}
      />
      <section className={classes.section}>
        <RelationLine data={data} relation={relation} />
      </section>
      <Loaded query={evidence} what="The evidence">
        {(rows) => <EvidenceList rows={rows} words={labelsOf(data, [relation.sourceId, relation.targetId])} />}
      </Loaded>
    </>
  );
}

function PathEvidence({
  data,
  focus,
  path,
}: {
  data: GraphData;
  focus: Extract<GraphFocus, { kind: "path" }>;
  path: EvidencePanelProps["path"];
}) {
  const [from, to] = labelsOf(data, [focus.fromId, focus.toId]);
  const steps = (path?.relationIds ?? []).flatMap((id) => data.relations.find((relation) => relation.id === id) ?? []);
  return (
    <>
      <PanelTitle
        title={`${from ?? "?"} → ${to ?? "?"}`}
        summary={
          path ? (steps.length > 0 ? plural(steps.length, "step") : "no chain of relations joins them") : "looking"
        }
      />
      {steps.map((relation) => (
        <section key={relation.id} className={classes.step} aria-label="Step">
          <RelationLine data={data} relation={relation} />
          <StepEvidence id={relation.id} words={labelsOf(data, [relation.sourceId, relation.targetId])} />
        </section>
      ))}
    </>
  );
}

const SENTENCES_PER_STEP = 2;

function StepEvidence({ id, words }: { id: RelationId; words: string[] }) {
  const evidence = useEngineQuery("graph.evidence", { relationId: id });
  return (
    <Loaded query={evidence} what="The evidence" nRows={2}>
      {(rows) => <EvidenceList rows={rows} words={words} limit={SENTENCES_PER_STEP} />}
    </Loaded>
  );
}

function PanelTitle({ title, summary }: { title: ReactNode; summary: string }) {
  return (
    <header className={classes.panelTitle}>
      <div>
        <h2>{title}</h2>
        <div className="dim small num">{summary}</div>
      </div>
      <IconButton label="Close" onClick={() => navigate({ screen: "graph" })}>
        <IconX size={16} />
      </IconButton>
    </header>
  );
}

function Gone({ what }: { what: string }) {
  return (
    <div className={classes.section}>
      This {what} is no longer in the graph. <a href={hrefOf({ screen: "graph" })}>Show the whole graph</a>
    </div>
  );
}

function labelsOf(data: GraphData, ids: string[]): string[] {
  return ids.flatMap((id) => data.concepts.find((concept) => concept.id === id)?.label ?? []);
}
