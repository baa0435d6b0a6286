import { PagePointerProvider } from "@embedpdf/plugin-interaction-manager/react";
import { RenderLayer } from "@embedpdf/plugin-render/react";
import { Rotate } from "@embedpdf/plugin-rotate/react";
import { SelectionLayer } from "@embedpdf/plugin-selection/react";
import type { ReactNode } from "react";
import type { Rect } from "../../../main/shared/contract/corpus.ts";
import classes from "./PdfView.module.css";

export type PdfPageProps = {
  documentId: string;
  pageIndex: number;
  scale: number;
  highlights: Rect[];
  /** Off until the scale is known: a page drawn at another one is drawn for nothing. */
  isDrawing: boolean;
  children: ReactNode;
};

/** Pages are laid out without their /Rotate, so everything that belongs to the page's own points stands inside Rotate. */
export function PdfPage({ documentId, pageIndex, scale, highlights, isDrawing, children }: PdfPageProps) {
  return (
    <div className={classes.page} data-page={pageIndex + 1}>
      <Rotate documentId={documentId} pageIndex={pageIndex}>
        <PagePointerProvider documentId={documentId} pageIndex={pageIndex}>
          {isDrawing && (
            <RenderLayer
              documentId={documentId}
              pageIndex={pageIndex}
              aria-label={`Page ${pageIndex + 1}`}
              className={classes.picture}
            />
          )}
          {highlights.map(({ left, top, width, height }) => (
            <div
              key={`${left}/${top}`}
              className={classes.highlight}
              data-highlight
              style={{ left: left * scale, top: top * scale, width: width * scale, height: height * scale }}
            />
          ))}
          <SelectionLayer
            documentId={documentId}
            pageIndex={pageIndex}
            textStyle={{ background: "rgb(47 120 199 / 0.35)" }}
          />
          {children}
        </PagePointerProvider>
      </Rotate>
    </div>
  );
}
