import { Loader, Tooltip } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock, IconScanEye } from "@tabler/icons-react";
import type { DocumentRow } from "../../../main/shared/contract/corpus.ts";
import { formatCount } from "../../lib/format.ts";
import classes from "./DocumentState.module.css";

/** Where a document is on its way from file to searchable text, in a sign and a word; the reason beneath when it is stuck. */
export function DocumentState({ row }: { row: DocumentRow }) {
  const { word, icon, tone } = describe(row);
  return (
    <Tooltip label={row.reason} disabled={!row.reason}>
      <div className={classes.state} data-tone={tone}>
        {icon}
        <div className={classes.words}>
          <div className="clip">{word}</div>
          {row.reason && <div className={`${classes.reason} clip`}>{row.reason}</div>}
        </div>
      </div>
    </Tooltip>
  );
}

function describe({ status, nChunks, nChunksEmbedded }: DocumentRow) {
  switch (status) {
    case "queued":
      return { word: "Queued", icon: <IconClock size={15} aria-hidden />, tone: "quiet" };
    case "reading":
      return { word: "Reading", icon: <Loader size={13} aria-hidden />, tone: "quiet" };
    case "embedding":
      return {
        word: `Embedding ${formatCount(nChunksEmbedded)} of ${formatCount(nChunks)}`,
        icon: <Loader size={13} aria-hidden />,
        tone: "quiet",
      };
    case "needs_ocr":
      return { word: "Needs OCR", icon: <IconScanEye size={15} aria-hidden />, tone: "warning" };
    case "failed":
      return { word: "Failed", icon: <IconAlertTriangle size={15} aria-hidden />, tone: "failed" };
    case "ready":
      // a document imported without its embeddings is found by its words only
      if (nChunksEmbedded < nChunks)
        return { word: "Ready, words only", icon: <IconCircleCheck size={15} aria-hidden />, tone: "warning" };
      return { word: "Ready", icon: <IconCircleCheck size={15} aria-hidden />, tone: "good" };
  }
}
