import { setScale } from "@embedpdf/core";
import { useDocumentState, useRegistry } from "@embedpdf/core/react";
import { useEffect, useRef, useState } from "react";

/** The viewport's own padding on both sides and its scroll bar. */
const FRAME_PX = 12 * 2 + 16;
const LIMITS = { least: 0.2, most: 6 };

/** Pages as wide as the view, times a zoom that the reader chooses; follows the view when that is resized. */
export function useFitWidth(documentId: string) {
  const { registry } = useRegistry();
  const state = useDocumentState(documentId);
  const viewportRef = useRef<HTMLDivElement>(null);
  const [widthPx, setWidthPx] = useState(0);
  const [zoom, setZoom] = useState(1);
  const pages = state?.document?.pages ?? [];
  const pageWidthPt = Math.max(
    1,
    ...pages.map(({ size, rotation }) => (rotation % 2 === 1 ? size.height : size.width)),
  );

  useEffect(() => {
    const element = viewportRef.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidthPx(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const wanted = Math.min(LIMITS.most, Math.max(LIMITS.least, ((widthPx - FRAME_PX) / pageWidthPt) * zoom));
  useEffect(() => {
    if (registry && widthPx > 0) registry.getStore().dispatchToCore(setScale(wanted, documentId));
  }, [registry, widthPx, wanted, documentId]);

  const scale = state?.scale ?? 1;
  return { scale, zoom, setZoom, viewportRef, isFitted: widthPx > 0 && Math.abs(scale - wanted) < 1e-6 };
}
