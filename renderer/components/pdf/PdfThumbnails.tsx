import { useDocumentState } from "@embedpdf/core/react";
import { RenderLayer } from "@embedpdf/plugin-render/react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import classes from "./PdfView.module.css";

const WIDTH_PX = 64;
const LABEL_PX = 22;

export type PdfThumbnailsProps = {
  documentId: string;
  nPages: number;
  currentPage: number;
  onPage(page: number): void;
  renderPageMark(page: number): ReactNode;
  /** Blank sheets until then. */
  isDrawing: boolean;
};

export function PdfThumbnails(props: PdfThumbnailsProps) {
  const { documentId, nPages, currentPage, onPage, renderPageMark, isDrawing } = props;
  const list = useRef<HTMLDivElement>(null);
  const pages = useDocumentState(documentId)?.document?.pages ?? [];
  const heightOf = (index: number) => {
    const page = pages[index];
    if (!page) return 84;
    const isSideways = page.rotation % 2 === 1;
    const { width, height } = page.size;
    return isSideways ? (WIDTH_PX * width) / height : (WIDTH_PX * height) / width;
  };
  const rows = useVirtualizer({
    count: nPages,
    getScrollElement: () => list.current,
    estimateSize: (index) => heightOf(index) + LABEL_PX,
    overscan: 3,
  });
  useEffect(() => {
    if (currentPage > 0) rows.scrollToIndex(currentPage - 1, { align: "auto" });
  }, [currentPage, rows]);
  return (
    <div className={classes.thumbnails} ref={list}>
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map(({ index, start, size }) => (
          <button
            key={index}
            type="button"
            className={classes.thumbnail}
            style={{ height: size, transform: `translateY(${start}px)` }}
            aria-label={`Page ${index + 1}`}
            {...(index + 1 === currentPage ? { "aria-current": "page" as const } : {})}
            onClick={() => onPage(index + 1)}
          >
            <span className={classes.sheet} style={{ width: WIDTH_PX, height: heightOf(index) }}>
              {isDrawing && <RenderLayer documentId={documentId} pageIndex={index} scale={0.16} aria-hidden />}
            </span>
            <span className={`${classes.pageNumber} num`}>
              {index + 1} {renderPageMark(index + 1)}
            </span>
          </button>
        ))}
      </div>
    </div>
  );
}
