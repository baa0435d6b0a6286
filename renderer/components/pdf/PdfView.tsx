import { createPluginRegistration } from "@embedpdf/core";
import { EmbedPDF } from "@embedpdf/core/react";
import { DocumentContent, DocumentManagerPluginPackage } from "@embedpdf/plugin-document-manager/react";
import { GlobalPointerProvider, InteractionManagerPluginPackage } from "@embedpdf/plugin-interaction-manager/react";
import { RenderPluginPackage } from "@embedpdf/plugin-render/react";
import { RotatePluginPackage } from "@embedpdf/plugin-rotate/react";
import { Scroller, ScrollPluginPackage } from "@embedpdf/plugin-scroll/react";
import { SelectionPluginPackage } from "@embedpdf/plugin-selection/react";
import { Viewport, ViewportPluginPackage } from "@embedpdf/plugin-viewport/react";
import { type ReactNode, useEffect, useState } from "react";
import { AppError } from "../../../main/shared/errors.ts";
import type { Rect } from "../../../main/shared/contract/corpus.ts";
import { ErrorNotice } from "../ErrorNotice.tsx";
import { LoadingRows } from "../Loaded.tsx";
import { pdfEngine } from "./pdf-engine.ts";
import { PdfPage } from "./PdfPage.tsx";
import { PdfThumbnails } from "./PdfThumbnails.tsx";
import { PdfToolbar } from "./PdfToolbar.tsx";
import classes from "./PdfView.module.css";
import { useFitWidth } from "./use-fit-width.ts";
import { usePlaceOnPage } from "./use-place-on-page.ts";

/** Where to go and what to mark there. Rectangles as the engine gives them: in points, before /Rotate. */
export type PdfTarget = { page: number; rects: Rect[] };

export type PdfViewProps = {
  title: string;
  bytes: Uint8Array;
  target: PdfTarget;
  /** Drawn over each page, in its own unrotated points times `scale`. */
  renderOverlay(page: number, scale: number): ReactNode;
  /** A sign beside a page's number in the list of pages. */
  renderPageMark(page: number): ReactNode;
  onPageChange(page: number): void;
};

/** Each opening gets a name of its own: the worker may still hold the last one when the same paper is opened again. */
let nOpened = 0;

/** A paper with selectable text and virtual scrolling, drawn by the same PDFium that read it. Mount one per document. */
export default function PdfView(props: PdfViewProps) {
  const [{ documentId, plugins }] = useState(() => {
    nOpened += 1;
    return { documentId: `pdf-${nOpened}`, plugins: pluginsFor(`pdf-${nOpened}`, props.title, props.bytes) };
  });
  const hasTimedOut = useTimeout(documentId);
  return (
    <EmbedPDF engine={pdfEngine()} plugins={plugins}>
      {({ pluginsReady, activeDocumentId }) =>
        pluginsReady && activeDocumentId ? (
          <DocumentContent documentId={activeDocumentId}>
            {({ isLoaded, isError, documentState }) => {
              if (isLoaded) return <OpenDocument documentId={activeDocumentId} {...props} />;
              if (isError) return <PdfFailure reason={documentState.error ?? "The file is damaged"} />;
              return <Opening hasTimedOut={hasTimedOut} />;
            }}
          </DocumentContent>
        ) : (
          <Opening hasTimedOut={hasTimedOut} />
        )
      }
    </EmbedPDF>
  );
}

function OpenDocument({
  documentId,
  target,
  renderOverlay,
  renderPageMark,
  onPageChange,
}: PdfViewProps & { documentId: string }) {
  // one worker draws everything in the order asked for: the page that is read goes before its neighbours in small
  const [isPagePainted, setIsPagePainted] = useState(false);
  const { scale, zoom, setZoom, isFitted, viewportRef } = useFitWidth(documentId);
  const { currentPage, nPages, goToPage } = usePlaceOnPage({ documentId, target, isReady: isFitted, onPageChange });
  return (
    <div className={classes.view}>
      <PdfToolbar page={currentPage} nPages={nPages} zoom={zoom} onPage={goToPage} onZoom={setZoom} />
      <div className={classes.body}>
        <PdfThumbnails
          documentId={documentId}
          nPages={nPages}
          currentPage={currentPage}
          onPage={goToPage}
          renderPageMark={renderPageMark}
          isDrawing={isPagePainted}
        />
        <div className={classes.viewport} ref={viewportRef} onLoadCapture={() => setIsPagePainted(true)}>
          <GlobalPointerProvider documentId={documentId}>
            <Viewport
              documentId={documentId}
              tabIndex={0}
              role="region"
              aria-label="Pages"
              style={{ background: "var(--sunken)" }}
            >
              <Scroller
                documentId={documentId}
                renderPage={({ pageIndex }) => (
                  <PdfPage
                    documentId={documentId}
                    pageIndex={pageIndex}
                    scale={scale}
                    isDrawing={isFitted}
                    highlights={pageIndex + 1 === target.page ? target.rects : []}
                  >
                    {renderOverlay(pageIndex + 1, scale)}
                  </PdfPage>
                )}
              />
            </Viewport>
          </GlobalPointerProvider>
        </div>
      </div>
    </div>
  );
}

const START_TIMEOUT_MS = 20_000;

/** A worker that cannot load its WebAssembly says nothing at all; after this long, the window does. */
function useTimeout(documentId: string): boolean {
  const [hasTimedOut, setHasTimedOut] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setHasTimedOut(true), START_TIMEOUT_MS);
    return () => window.clearTimeout(timer);
  }, [documentId]);
  return hasTimedOut;
}

function Opening({ hasTimedOut }: { hasTimedOut: boolean }) {
  return hasTimedOut ? (
    <PdfFailure reason="The page view did not start" />
  ) : (
    <LoadingRows what="The pages" nRows={10} />
  );
}

function PdfFailure({ reason }: { reason: string }) {
  const error = new AppError("IMPORT_UNREADABLE", reason, { hint: "The text of the document can still be searched." });
  return (
    <div style={{ padding: 16 }}>
      <ErrorNotice what="The pages cannot be shown" error={error} />
    </div>
  );
}

function pluginsFor(documentId: string, name: string, bytes: Uint8Array) {
  // the worker takes the memory away from whoever gives it: it gets a copy
  const buffer = bytes.slice().buffer;
  return [
    createPluginRegistration(DocumentManagerPluginPackage, { initialDocuments: [{ documentId, name, buffer }] }),
    createPluginRegistration(ViewportPluginPackage, { viewportGap: 12 }),
    createPluginRegistration(ScrollPluginPackage, { defaultPageGap: 12, defaultBufferSize: 1 }),
    createPluginRegistration(RenderPluginPackage),
    createPluginRegistration(RotatePluginPackage),
    createPluginRegistration(InteractionManagerPluginPackage),
    createPluginRegistration(SelectionPluginPackage),
  ];
}
