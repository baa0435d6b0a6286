import { readFileSync } from "node:fs";
import { init, type WrappedPdfiumModule } from "@embedpdf/pdfium";
import { AppError } from "../../../../shared/errors.ts";
import type { PdfLimits } from "./limits.ts";
import { heapOf } from "./raw-page.ts";

export type OpenPdf = { pdfium: WrappedPdfiumModule; document: number; nPages: number };

/** FPDF_GetLastError. */
const ERROR_PASSWORD = 4;
const ERROR_SECURITY = 5;

/**
 * Opens a file with a PDFium of its own: the memory goes away with the worker, however the document behaves.
 * Errors: IMPORT_UNREADABLE.
 */
export async function openPdf(wasmModule: WebAssembly.Module, path: string, limits: PdfLimits): Promise<OpenPdf> {
  limitWasmMemory(limits.maxMemoryMb);
  const pdfium = await startPdfium(wasmModule);
  const bytes = readFileSync(path);
  const pointer = pdfium.pdfium.wasmExports.malloc(bytes.length);
  if (pointer === 0) throw tooMuchMemory(limits.maxMemoryMb);
  heapOf(pdfium).HEAPU8.set(bytes, pointer);
  const document = pdfium.FPDF_LoadMemDocument(pointer, bytes.length, "");
  if (document === 0) throw loadError(pdfium.FPDF_GetLastError());
  const nPages = pdfium.FPDF_GetPageCount(document);
  if (nPages < 1) throw damaged();
  if (nPages > limits.maxPages) {
    throw new AppError("IMPORT_UNREADABLE", `It has ${nPages} pages; the limit is ${limits.maxPages}`, {
      hint: "Split it and import the parts.",
    });
  }
  return { pdfium, document, nPages };
}

export function metadataTitle({ pdfium, document }: OpenPdf): string {
  const nBytes = pdfium.FPDF_GetMetaText(document, "Title", 0, 0);
  if (nBytes <= 2) return "";
  const buffer = pdfium.pdfium.wasmExports.malloc(nBytes);
  pdfium.FPDF_GetMetaText(document, "Title", buffer, nBytes);
  const title = pdfium.pdfium.UTF16ToString(buffer);
  pdfium.pdfium.wasmExports.free(buffer);
  return title;
}

export function tooMuchMemory(maxMemoryMb: number): AppError {
  return new AppError("IMPORT_UNREADABLE", `Reading it needs more than ${maxMemoryMb} MB of memory`, {
    hint: "Print it to a new PDF, or split it, and import the result.",
  });
}

async function startPdfium(wasmModule: WebAssembly.Module): Promise<WrappedPdfiumModule> {
  // the engine compiles the module once and hands it to every worker; Emscripten takes it through this hook
  const overrides = {
    instantiateWasm(imports: WebAssembly.Imports, onReady: (instance: WebAssembly.Instance) => void) {
      void WebAssembly.instantiate(wasmModule, imports).then(onReady);
      return {};
    },
    // its own words would mix with a command's output; what matters comes back as an error
    print: () => {},
    printErr: () => {},
  };
  const pdfium = await init(overrides);
  pdfium.PDFiumExt_Init();
  return pdfium;
}

/** Worker threads limit the JavaScript heap only. PDFium grows its memory through this method and nothing else. */
function limitWasmMemory(maxMemoryMb: number): void {
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function (delta: number): number {
    if (this.buffer.byteLength + delta * 65_536 > maxMemoryMb * 2 ** 20) throw new RangeError("memory limit");
    return grow.call(this, delta);
  };
}

function loadError(code: number): AppError {
  if (code === ERROR_PASSWORD || code === ERROR_SECURITY) {
    return new AppError("IMPORT_UNREADABLE", "It is encrypted and asks for a password", {
      hint: "Save a copy without the password in a PDF viewer and import that.",
    });
  }
  return damaged();
}

function damaged(): AppError {
  return new AppError("IMPORT_UNREADABLE", "The PDF is damaged: no page can be read", {
    hint: "Download or export it again.",
  });
}
