import { useScroll } from "@embedpdf/plugin-scroll/react";
import { useEffect, useRef } from "react";
import type { PdfTarget } from "./PdfView.tsx";

type Options = { documentId: string; target: PdfTarget; isReady: boolean; onPageChange(page: number): void };

/** How far down the view a marked passage comes to stand, in per cent. */
const PASSAGE_AT = 30;

/** Brings the target into view whenever it becomes another one, and says which page is being read. */
export function usePlaceOnPage({ documentId, target, isReady, onPageChange }: Options) {
  const { provides: scroll, state } = useScroll(documentId);
  const page = useRef(0);
  const { page: targetPage } = target;
  const passageTop = target.rects[0]?.top;

  useEffect(() => {
    if (!scroll || !isReady) return;
    // a page that is already being read is not moved when only its number was written into the address
    if (passageTop === undefined && page.current === targetPage) return;
    // the layout of the new scale is painted in the next frame
    const frame = requestAnimationFrame(() =>
      scroll.scrollToPage({
        pageNumber: targetPage,
        behavior: "instant",
        ...(passageTop === undefined ? {} : { pageCoordinates: { x: 0, y: passageTop }, alignY: PASSAGE_AT }),
      }),
    );
    return () => cancelAnimationFrame(frame);
  }, [scroll, isReady, targetPage, passageTop]);

  useEffect(
    () =>
      scroll?.onPageChange(({ pageNumber }) => {
        page.current = pageNumber;
        onPageChange(pageNumber);
      }),
    [scroll, onPageChange],
  );

  return {
    currentPage: state.currentPage,
    nPages: state.totalPages,
    goToPage: (pageNumber: number) => scroll?.scrollToPage({ pageNumber, behavior: "instant" }),
  };
}
