import { IconAffiliate, IconMaximize, IconMinus, IconPlus } from "@tabler/icons-react";
import { useComputedColorScheme } from "@mantine/core";
import type { RefObject } from "react";
import { type ConceptRow, ConceptType } from "../../../main/shared/contract/graph.ts";
import type { GraphCanvasHandle } from "../../components/graph/GraphCanvas.tsx";
import { IconButton } from "../../components/IconButton.tsx";
import { conceptColours } from "../../lib/colours.ts";
import classes from "./Graph.module.css";
import { useGraphSettings } from "./graph-settings.ts";

/** What the colours mean, how many there are of each, and the switch for each; beside it the view's own buttons. */
export function TypeLegend({
  concepts,
  handle,
}: {
  concepts: ConceptRow[];
  handle: RefObject<GraphCanvasHandle | null>;
}) {
  const { hiddenTypes, toggleType } = useGraphSettings();
  const colours = conceptColours[useComputedColorScheme("light")];
  const types = ConceptType.options.map((type) => ({
    type,
    count: concepts.filter((concept) => concept.type === type).length,
  }));
  return (
    <div className={classes.legend}>
      <div className={classes.types} role="group" aria-label="Types of concepts">
        {types
          .filter(({ count }) => count > 0)
          .map(({ type, count }) => (
            <button
              key={type}
              type="button"
              className={classes.type}
              aria-pressed={!hiddenTypes.includes(type)}
              onClick={() => toggleType(type)}
            >
              <span className={classes.dot} style={{ background: colours[type] }} />
              {type} <span className="num dim">{count}</span>
            </button>
          ))}
      </div>
      <div className={classes.viewButtons}>
        <IconButton label="Nearer" onClick={() => handle.current?.zoom(1.5)}>
          <IconPlus size={16} />
        </IconButton>
        <IconButton label="Farther" onClick={() => handle.current?.zoom(1 / 1.5)}>
          <IconMinus size={16} />
        </IconButton>
        <IconButton label="Show everything" onClick={() => handle.current?.fit()}>
          <IconMaximize size={16} />
        </IconButton>
        <IconButton label="Find places again" onClick={() => handle.current?.layOut()}>
          <IconAffiliate size={16} />
        </IconButton>
      </div>
    </div>
  );
}
