import { useComputedColorScheme } from "@mantine/core";
import type { RelationRow } from "../../../main/shared/contract/graph.ts";
import { conceptColours } from "../../lib/colours.ts";
import { hrefOf } from "../../lib/routes.ts";
import classes from "./Graph.module.css";
import type { GraphData } from "./GraphScreen.tsx";

/** `graphene → improves → rate capability (3)`; the end that one stands on is not a link. */
export function RelationLine({ data, relation, hereId }: { data: GraphData; relation: RelationRow; hereId?: string }) {
  return (
    <div className={classes.relation}>
      <ConceptLink data={data} id={relation.sourceId} isHere={relation.sourceId === hereId} />
      <a
        href={hrefOf({ screen: "graph", focus: { kind: "relation", id: relation.id } })}
        className={classes.relationType}
      >
        {relation.type} <span className="num">{relation.nEvidence}</span> →
      </a>
      <ConceptLink data={data} id={relation.targetId} isHere={relation.targetId === hereId} />
    </div>
  );
}

function ConceptLink({ data, id, isHere }: { data: GraphData; id: string; isHere: boolean }) {
  const colours = conceptColours[useComputedColorScheme("light")];
  const concept = data.concepts.find((row) => row.id === id);
  if (!concept) return null;
  const dot = <span className={classes.dot} style={{ background: colours[concept.type] }} />;
  if (isHere)
    return (
      <span className={classes.concept}>
        {dot} <strong>{concept.label}</strong>
      </span>
    );
  return (
    <a href={hrefOf({ screen: "graph", focus: { kind: "concept", id } })} className={classes.concept}>
      {dot} {concept.label}
    </a>
  );
}
