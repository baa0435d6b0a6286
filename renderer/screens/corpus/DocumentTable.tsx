import { useVirtualizer } from "@tanstack/react-virtual";
import { IconArrowDown, IconArrowUp, IconFileAlert } from "@tabler/icons-react";
import { type KeyboardEvent, useMemo, useRef } from "react";
import type { DocumentRow } from "../../../main/shared/contract/corpus.ts";
import { RelativeTime } from "../../components/RelativeTime.tsx";
import { formatBytes, formatCount } from "../../lib/format.ts";
import { formatRoute, hrefOf } from "../../lib/routes.ts";
import { textYield } from "../../lib/text-yield.ts";
import { navigate } from "../../lib/use-route.ts";
import { type SortKey, sortDocuments, useCorpusView } from "./corpus-view.ts";
import { DocumentState } from "./DocumentState.tsx";
import classes from "./DocumentTable.module.css";

const ROW_PX = 46;
const COLUMNS: { key: SortKey | null; label: string; className: string | undefined }[] = [
  { key: "title", label: "Title", className: classes.title },
  { key: "nPages", label: "Pages", className: classes.number },
  { key: "nChunks", label: "Chunks", className: classes.number },
  { key: null, label: "Text", className: classes.yield },
  { key: "status", label: "State", className: classes.state },
  { key: "importedAt", label: "Imported", className: classes.imported },
];

export function DocumentTable({ rows, openId }: { rows: DocumentRow[]; openId: string | undefined }) {
  const { sortKey, isDescending } = useCorpusView();
  const sorted = useMemo(() => sortDocuments(rows, sortKey, isDescending), [rows, sortKey, isDescending]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: sorted.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  return (
    <div className={classes.table} role="table" aria-label="Documents" aria-rowcount={sorted.length + 1}>
      <HeaderRow />
      <div className={classes.scroller} ref={scroller} role="rowgroup" onKeyDown={(event) => moveFocus(event)}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="presentation">
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = sorted[index];
            return (
              row && (
                <TableRow
                  key={row.id}
                  row={row}
                  rowIndex={index + 2}
                  isOpen={row.id === openId}
                  transform={`translateY(${start}px)`}
                />
              )
            );
          })}
        </div>
      </div>
    </div>
  );
}

function HeaderRow() {
  const { sortKey, isDescending, sortBy } = useCorpusView();
  return (
    <div role="rowgroup">
      <div className={classes.header} role="row" aria-rowindex={1}>
        {COLUMNS.map(({ key, label, className }) => (
          <div
            key={label}
            role="columnheader"
            className={className}
            {...(key === sortKey
              ? { "aria-sort": isDescending ? ("descending" as const) : ("ascending" as const) }
              : {})}
          >
            {key === null ? (
              label
            ) : (
              <button type="button" className={classes.sort} onClick={() => sortBy(key)}>
                {label}
                {key === sortKey &&
                  (isDescending ? <IconArrowDown size={12} aria-hidden /> : <IconArrowUp size={12} aria-hidden />)}
              </button>
            )}
          </div>
        ))}
      </div>
    </div>
  );
}

type TableRowProps = { row: DocumentRow; rowIndex: number; isOpen: boolean; transform: string };

function TableRow({ row, rowIndex, isOpen, transform }: TableRowProps) {
  const place = { screen: "corpus", documentId: row.id } as const;
  const { text, isPartial } = textYield(row.nPages, row.nPagesWithText);
  return (
    <div
      role="row"
      aria-rowindex={rowIndex}
      className={classes.row}
      data-open={isOpen}
      style={{ height: ROW_PX, transform }}
      onClick={() => navigate(place)}
    >
      <div role="cell" className={classes.title}>
        <a
          href={hrefOf(place)}
          className="clip"
          data-route={formatRoute(place)}
          onClick={(event) => event.stopPropagation()}
        >
          {row.title}
        </a>
        <span className="dim small clip">
          {row.fileName} · {formatBytes(row.sizeBytes)}
        </span>
      </div>
      <div role="cell" className={classes.number}>
        {row.nPages > 0 ? formatCount(row.nPages) : "–"}
      </div>
      <div role="cell" className={classes.number}>
        {row.nChunks > 0 ? formatCount(row.nChunks) : "–"}
      </div>
      <div role="cell" className={classes.yield}>
        {isPartial && <IconFileAlert size={15} className={classes.warning} aria-hidden />}
        <span className={isPartial ? "" : "dim"}>{text}</span>
      </div>
      <div role="cell" className={classes.state}>
        <DocumentState row={row} />
      </div>
      <div role="cell" className={`${classes.imported} dim`}>
        <RelativeTime at={row.importedAt} />
      </div>
    </div>
  );
}

/** Up and down go from title to title, as in any list; Enter opens. */
function moveFocus(event: KeyboardEvent<HTMLDivElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>("a[data-route]")].toSorted(
    (a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top,
  );
  const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
