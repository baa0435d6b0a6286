import type { PageQuality } from "../../../main/shared/contract/corpus.ts";
import type { DocumentId } from "../../../main/shared/ids.ts";
import { Loaded } from "../../components/Loaded.tsx";
import { MarkedText } from "../../components/MarkedText.tsx";
import { useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import classes from "./PageTextPane.module.css";

const QUALITY: Record<PageQuality, string> = {
  good: "good text",
  poor: "poor text: most of it cannot be read",
  none: "no text: probably a scan",
};

export type PageTextPaneProps = {
  documentId: DocumentId;
  page: number;
  span: { start: number; end: number } | undefined;
};

/** The text that everything else works with, next to the page it was read from. */
export function PageTextPane({ documentId, page, span }: PageTextPaneProps) {
  const query = useEngineQuery("corpus.getPage", { documentId, page }, { keepPrevious: true });
  return (
    <div className={classes.pane} role="region" aria-label="Text of the page" tabIndex={0}>
      <Loaded query={query} what="The text">
        {(data) => (
          <>
            <div className="dim small num">
              Page {data.page} · {QUALITY[data.quality]} · {plural(data.text.length, "character")} ·{" "}
              {plural(data.chunks.length, "chunk")}
            </div>
            <p className={classes.text}>
              <MarkedText text={data.text} ranges={span && data.page === page ? [span] : []} />
            </p>
          </>
        )}
      </Loaded>
    </div>
  );
}
