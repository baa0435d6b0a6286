/**
 * @file Reads one PDF in a thread of its own, so that a document that hangs or eats memory costs only itself.
 */
import { parentPort, workerData } from "node:worker_threads";
import { AppError, serializeError } from "../../../../shared/errors.ts";
import { openPdf, tooMuchMemory } from "./pdf-document.ts";
import { readGlyphs, readText } from "./read-text.ts";
import type { PdfRequest, PdfResponse } from "./worker-protocol.ts";

// the engine is the only one who starts this thread
const request = workerData as PdfRequest;
// no await at the top: the file may be built as CommonJS
void answer()
  .catch(failure)
  .then((response) => parentPort!.postMessage(response));

async function answer(): Promise<PdfResponse> {
  const pdf = await openPdf(request.wasmModule, request.path, request.limits);
  if (request.kind === "read") return { kind: "text", text: readText(pdf) };
  return { kind: "glyphs", glyphs: readGlyphs(pdf, request.page, request.text) };
}

function failure(error: unknown): PdfResponse {
  return { kind: "failed", error: serializeError(inPdfium(error)) };
}

/** PDFium has no exceptions: it traps, on a damaged file or when its memory may not grow. */
function inPdfium(error: unknown): unknown {
  if (!(error instanceof WebAssembly.RuntimeError || error instanceof RangeError)) return error;
  if (/memory limit|out of memory|abort/i.test(error.message)) return tooMuchMemory(request.limits.maxMemoryMb);
  return new AppError("IMPORT_UNREADABLE", "The PDF is damaged: its reader gave up on it", {
    hint: "Download or export it again.",
    cause: error,
  });
}
