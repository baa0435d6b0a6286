import { createPdfiumEngine } from "@embedpdf/engines/pdfium-worker-engine";
import wasmPath from "@embedpdf/pdfium/pdfium.wasm?url";

type PdfEngine = ReturnType<typeof createPdfiumEngine>;

let engine: PdfEngine | undefined;

/**
 * One worker with one PDFium for the life of the window. Its script is a blob, so the address of the WebAssembly must
 * be absolute; fallback fonts are off because they would come from the network.
 */
export function pdfEngine(): PdfEngine {
  engine ??= createPdfiumEngine(new URL(wasmPath, window.location.href).href, {
    fontFallback: null,
    encoderPoolSize: 2,
  });
  return engine;
}
