import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { AppError, deserializeError } from "../../../../shared/errors.ts";
import type { PdfLimits } from "./limits.ts";
import { tooMuchMemory } from "./pdf-document.ts";
import type { PageGlyphs, PdfRequest, PdfResponse, PdfText } from "./worker-protocol.ts";

export type PdfReader = ReturnType<typeof createPdfReader>;

type Question = { kind: "read" } | { kind: "glyphs"; page: number; text: string };

const JS_HEAP_MB = 512;

/** Reads PDFs in workers. `workerPath` is pdf-worker.ts in the sources and pdf-worker.js in a build. */
export function createPdfReader(options: { workerPath: string; limits: PdfLimits }) {
  const { workerPath, limits } = options;
  let compiled: Promise<WebAssembly.Module> | undefined;

  async function ask(path: string, question: Question, signal?: AbortSignal): Promise<PdfResponse> {
    signal?.throwIfAborted();
    compiled ??= compilePdfium();
    const workerData: PdfRequest = { wasmModule: await compiled, path, limits, ...question };
    const worker = new Worker(workerPath, {
      workerData,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: JS_HEAP_MB },
    });
    try {
      return await answerOf(worker, limits, signal);
    } finally {
      await worker.terminate();
    }
  }

  return {
    /** Errors: IMPORT_UNSUPPORTED, IMPORT_UNREADABLE. */
    async readText(path: string, signal?: AbortSignal): Promise<PdfText> {
      const response = await ask(path, { kind: "read" }, signal);
      if (response.kind === "failed") throw deserializeError(response.error);
      if (response.kind !== "text") throw new Error("the PDF worker answered another question");
      return response.text;
    },
    /** `text` is the page's text as it was stored. Errors: IMPORT_UNREADABLE. */
    async readGlyphs(path: string, page: number, text: string, signal?: AbortSignal): Promise<PageGlyphs> {
      const response = await ask(path, { kind: "glyphs", page, text }, signal);
      if (response.kind === "failed") throw deserializeError(response.error);
      if (response.kind !== "glyphs") throw new Error("the PDF worker answered another question");
      return response.glyphs;
    },
  };
}

async function compilePdfium(): Promise<WebAssembly.Module> {
  const path = createRequire(import.meta.url).resolve("@embedpdf/pdfium/pdfium.wasm");
  return WebAssembly.compile(await readFile(path));
}

/** The worker's one message, or why there is none. */
function answerOf(worker: Worker, limits: PdfLimits, signal?: AbortSignal): Promise<PdfResponse> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal!.reason as Error);
    const timer = setTimeout(() => reject(tooSlow(limits.timeoutMs)), limits.timeoutMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    worker.once("message", (response: PdfResponse) => (settle(), resolve(response)));
    worker.once("error", (error) => (settle(), reject(workerError(error, limits))));
    worker.once("exit", () => (settle(), reject(new Error("the PDF worker ended without an answer"))));
  });
}

function workerError(error: unknown, limits: PdfLimits): unknown {
  const isHeapFull = (error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY";
  return isHeapFull ? tooMuchMemory(limits.maxMemoryMb) : error;
}

function tooSlow(timeoutMs: number): AppError {
  return new AppError("IMPORT_UNREADABLE", `Reading it took longer than ${Math.round(timeoutMs / 1000)} seconds`, {
    hint: "Print it to a new PDF and import that.",
  });
}
