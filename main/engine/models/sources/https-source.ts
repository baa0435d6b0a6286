import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { NetworkLedger } from "../../network/index.ts";

/** A server that has said nothing for so long is not reachable: the next source may be. */
const SILENCE_TIMEOUT_MS = 10_000;

/** Writes the body of an https address to `target`. The caller checks its SHA-256. */
export async function fetchOverHttps(
  request: { url: string; target: string; purpose: string; maxBytes: number; onBytes(nBytes: number): void },
  ledger: NetworkLedger,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error("no answer")), SILENCE_TIMEOUT_MS);
  let bytes = 0;
  let status = "failed";
  try {
    const response = await fetch(request.url, { signal: AbortSignal.any([signal, silence.signal]) });
    status = String(response.status);
    if (!response.ok || !response.body) throw new Error(`the server answered ${response.status}`);
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        timer.refresh();
        bytes += chunk.length;
        if (bytes > request.maxBytes) throw new Error("the file is longer than it should be");
        request.onBytes(bytes);
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(request.target));
  } catch (error) {
    if (signal.aborted) throw error;
    const reason = silence.signal.aborted ? `no answer for ${SILENCE_TIMEOUT_MS / 1000} seconds` : reasonOf(error);
    if (status === "failed") status = reason;
    throw new Error(reason, { cause: error });
  } finally {
    clearTimeout(timer);
    ledger.record({ host: new URL(request.url).host, purpose: request.purpose, bytes, status });
  }
}

/** fetch hides what went wrong behind "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown } }).cause;
  return typeof cause?.code === "string" ? cause.code : (error as Error).message;
}
