import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MessageChannel } from "node:worker_threads";
import { portOfMessagePort } from "../../engine/rpc/index.ts";
import {
  type EngineClient,
  engineContract,
  type EngineContract,
  type EngineEvents,
} from "../../shared/contract/index.ts";
import type { JobRow } from "../../shared/contract/job.ts";
import { outputOf } from "../../shared/contract/job-types.ts";
import { AppError, serializeError } from "../../shared/errors.ts";
import { SECURITY_HEADERS } from "../../shared/page-assets.ts";
import { createRpcClient } from "../../shared/rpc/client.ts";
import type { Port } from "../../shared/rpc/port.ts";

export type Uploads = {
  receive(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
};

/**
 * A browser gives contents, not paths. Each uploaded file gets a folder of its own below workspace/uploads, keeps its
 * name there, and is deleted when the import that read it has ended well: the corpus has its own copy by then.
 */
export async function createUploads(options: {
  engine: { serve(port: Port): void };
  workspaceDir: string;
  maxBytes: number;
}): Promise<Uploads> {
  const uploadsDir = join(options.workspaceDir, "uploads");
  const stopWatching = await deleteAfterImport(options.engine, uploadsDir);
  return {
    async receive(request, response) {
      const folder = join(uploadsDir, randomUUID());
      try {
        const path = join(folder, fileNameOf(request));
        rejectTooLarge(Number(request.headers["content-length"] ?? 0), options.maxBytes);
        await mkdir(folder, { recursive: true });
        await pipeline(request, limitBytes(options.maxBytes), createWriteStream(path, { flags: "wx" }));
        answer(response, 200, { path });
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        answer(response, error instanceof UploadTooLarge ? 413 : 400, { error: serializeError(error) });
      }
    },
    close: async () => stopWatching(),
  };
}

class UploadTooLarge extends AppError {
  constructor(maxBytes: number) {
    super("IMPORT_UNSUPPORTED", `The file is larger than ${Math.floor(maxBytes / 1024 ** 2)} MiB`, {
      hint: "Import it by its path instead: preflexor import FILE.",
    });
  }
}

/** The header holds the name percent-encoded, since headers are ASCII. Of what it says only a plain file name is kept. */
export function fileNameOf(request: Pick<IncomingMessage, "headers">): string {
  const header = request.headers["x-file-name"];
  if (typeof header !== "string" || header === "") throw new AppError("VALIDATION_FAILED", "The upload has no name");
  const name = basename(decode(header).replaceAll("\\", "/"))
    // eslint-disable-next-line no-control-regex -- control characters are exactly what goes
    .replaceAll(/[<>:"|?*\u0000-\u001f\u007f]/g, "_")
    .replace(/^\.+/, "")
    .replace(/[. ]+$/, "");
  if (!name) throw new AppError("VALIDATION_FAILED", "The upload has no usable name");
  return shorten(name);
}

function decode(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

const MAX_NAME_BYTES = 200;

/** File systems count bytes, up to 255; the ending says what the file is, so the front gives way. */
function shorten(name: string): string {
  let kept = Array.from(new Intl.Segmenter().segment(name), ({ segment }) => segment);
  while (Buffer.byteLength(kept.join("")) > MAX_NAME_BYTES) kept = kept.slice(1);
  return kept.join("");
}

function rejectTooLarge(sizeBytes: number, maxBytes: number): void {
  if (sizeBytes > maxBytes) throw new UploadTooLarge(maxBytes);
}

function limitBytes(maxBytes: number): Transform {
  let sizeBytes = 0;
  return new Transform({
    transform(part: Buffer, _encoding, done) {
      sizeBytes += part.length;
      if (sizeBytes > maxBytes) done(new UploadTooLarge(maxBytes));
      else done(null, part);
    },
  });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    ...SECURITY_HEADERS,
    "content-type": "application/json; charset=utf-8",
    ...(status === 200 ? {} : { connection: "close" }), // the rest of the body is not read
  });
  response.end(JSON.stringify(body));
}

/**
 * Failed and cancelled imports keep their files, because a retry reads them again. Leftovers go at the next start, when
 * no import waits for them.
 */
async function deleteAfterImport(engine: { serve(port: Port): void }, uploadsDir: string): Promise<() => void> {
  const { port1, port2 } = new MessageChannel();
  engine.serve(portOfMessagePort(port1));
  const rpc = createRpcClient<EngineContract, EngineEvents>(engineContract, portOfMessagePort(port2));
  const jobs = await rpc.client.job.list({ limit: 500 });
  const isAnyOpen = jobs.some((job) => isImport(job) && job.finishedAt === null);
  if (!isAnyOpen) await rm(uploadsDir, { recursive: true, force: true });
  rpc.on("job.changed", ({ job }) => {
    if (isImport(job) && job.status === "succeeded") void deleteUploads(rpc.client, job, uploadsDir);
  });
  return () => rpc.close();
}

function isImport(job: JobRow): boolean {
  return job.type === "corpus.import";
}

async function deleteUploads(client: EngineClient, { id }: JobRow, uploadsDir: string): Promise<void> {
  // an engine that ends in between leaves the files to the next start
  const job = await client.job.get({ jobId: id }).catch(() => null);
  const documents = job === null ? [] : outputOf(job, "corpus.import").documents;
  const mine = new Set(await readdir(uploadsDir).catch(() => []));
  for (const { path } of documents) {
    // by the name of the folder, which is random: the engine may know the same place by another path
    const folder = basename(dirname(path));
    if (mine.has(folder)) await rm(join(uploadsDir, folder), { recursive: true, force: true });
  }
}
