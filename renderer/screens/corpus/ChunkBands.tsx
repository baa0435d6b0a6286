import { Tooltip } from "@mantine/core";
import type { ChunkRow } from "../../../main/shared/contract/corpus.ts";
import type { DocumentId } from "../../../main/shared/ids.ts";
import { useEngineQuery } from "../../engine/queries.ts";
import { bandsOfRects } from "../../lib/chunk-bands.ts";
import { plural } from "../../lib/format.ts";
import { hrefOf } from "../../lib/routes.ts";
import classes from "./ChunkBands.module.css";
import type { DocumentRoute } from "./DocumentPanel.tsx";

const GAP_PT = 7;
/** Neighbours share a sentence where one ends inside a paragraph: they stand in two lanes, so that this can be seen. */
const LANE_PX = 5;

export type ChunkBandsProps = { documentId: DocumentId; page: number; scale: number; active: DocumentRoute };

/** Beside each column, a line for each chunk; the one that holds the marked passage stands out. */
export function ChunkBands({ documentId, page, scale, active }: ChunkBandsProps) {
  const { data } = useEngineQuery("corpus.getPage", { documentId, page });
  return data?.chunks.map((chunk) => (
    <ChunkBand
      key={chunk.id}
      chunk={chunk}
      scale={scale}
      isActive={active.page === page && holds(chunk, active.span)}
    />
  ));
}

function ChunkBand({ chunk, scale, isActive }: { chunk: ChunkRow; scale: number; isActive: boolean }) {
  const { documentId, page, start, end } = chunk;
  const { data } = useEngineQuery("corpus.locate", { documentId, page, start, end });
  const name = `Chunk ${chunk.ordinal + 1}: ${plural(chunk.nTokens, "token")}${chunk.isReferences ? ", references (not used for pairs)" : ""}`;
  return bandsOfRects(data?.rects ?? []).map(({ left, top, bottom }) => (
    <Tooltip key={`${left}/${top}`} label={name}>
      <a
        href={hrefOf({ screen: "corpus", documentId, page, span: { start, end } })}
        aria-label={name}
        className={classes.band}
        data-active={isActive}
        data-references={chunk.isReferences}
        style={{
          left: (left - GAP_PT) * scale - 4 - LANE_PX * (chunk.ordinal % 2),
          top: top * scale,
          height: (bottom - top) * scale,
        }}
        // the page below would begin a text selection
        onPointerDown={(event) => event.stopPropagation()}
      />
    </Tooltip>
  ));
}

function holds(chunk: ChunkRow, span: DocumentRoute["span"]): boolean {
  return span !== undefined && span.start >= chunk.start && span.start < chunk.end;
}
