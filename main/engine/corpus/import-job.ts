import { type JobInput, JobInputs } from "../../shared/contract/job-types.ts";
import { basename, extname } from "node:path";
import type { DocumentRow, ImportedDocument, ImportOutput } from "../../shared/contract/corpus.ts";
import { AppError, isAppError, serializeError } from "../../shared/errors.ts";
import type { DocumentId } from "../../shared/ids.ts";
import { defineJob, type JobContext, type JobDefinition } from "../jobs/index.ts";
import type { Clock } from "../lib/clock.ts";
import { newId } from "../lib/ids.ts";
import type { Logger } from "../lib/logger.ts";
import { collectFiles } from "./collect-files.ts";
import { isEmbedderGone } from "./embedder-calls.ts";
import type { FileContent } from "./document-files.ts";
import { embedChunks } from "./embed-chunks.ts";
import { type Decision, DECISION_EVENT, decisionsOf } from "./import-decisions.ts";
import { readDocument, type ReadingDeps } from "./read-document.ts";

export const IMPORT_JOB = "corpus.import";
type ImportInput = JobInput<"corpus.import">;

export type ImportDeps = ReadingDeps & {
  clock: Clock;
  log: Logger;
  /** Announces that documents have changed. */
  changed(ids: DocumentId[]): void;
};

/**
 * [Note: import] Three passes: take every file in (hash, copy, row), read every document (its words can be searched
 * from then on), embed. Each step is one transaction under a unique key (the decision about a path, the document's
 * sha256, the chunk's vector), so that an attempt after a kill goes on where the one before stopped. What is wrong
 * with one file is written to that file's row; only a full disk and a cancel end the job.
 */
export function createImportJob(deps: ImportDeps): JobDefinition {
  const { db, documents } = deps;
  /** Documents that a running import answers for; any other unfinished one was left behind and may be taken up. */
  const inWork = new Set<DocumentId>();
  let nRunning = 0;
  let lastEmbedding: Promise<unknown> = Promise.resolve();

  async function run(context: JobContext<ImportInput>): Promise<ImportOutput> {
    const decisions = new Map(decisionsOf(db, context.jobId).map((decision) => [decision.path, decision]));
    for (const id of ownDocuments(decisions)) inWork.add(id);
    const isAlone = nRunning++ === 0;
    try {
      if (isAlone) await deps.files.removeLeftovers();
      await takeInAll(context, decisions);
      await readAll(context, ownDocuments(decisions));
      if (context.input.embed !== false) await embedAll(context, ownDocuments(decisions));
      return { documents: [...decisions.values()].map(outcomeOf) };
    } catch (error) {
      if (isAppError(context.signal.reason, "CANCELLED")) settleCancelled(ownDocuments(decisions));
      throw error;
    } finally {
      nRunning--;
      for (const id of ownDocuments(decisions)) inWork.delete(id);
    }
  }

  async function takeInAll(context: JobContext<ImportInput>, decisions: Map<string, Decision>): Promise<void> {
    const paths = await collectFiles(context.input.paths, context.signal);
    for (const [n, path] of paths.entries()) {
      context.progress({ n, total: paths.length, unit: "files", message: `Looking at ${basename(path)}` });
      if (decisions.has(path)) continue;
      decisions.set(path, await takeIn(context, path));
    }
  }

  async function takeIn(context: JobContext<ImportInput>, path: string): Promise<Decision> {
    const decide = <D extends Decision>(decision: D): D => (context.record(DECISION_EVENT, decision), decision);
    try {
      const file = await deps.files.inspect(path, context.signal);
      await deps.files.store(path, file, context.signal);
      const decision = db.transaction(() => decide(register(path, file))).immediate();
      if (decision.kind === "document") inWork.add(decision.documentId);
      deps.changed([decision.documentId]);
      return decision;
    } catch (error) {
      return decide({ path, kind: "failed", reason: reasonOf(error, context.signal) });
    }
  }

  /** The row for a file's content. One that is unfinished and in nobody's hands is taken up again. */
  function register(path: string, file: FileContent & { sizeBytes: number }): Decision & { documentId: DocumentId } {
    const known = documents.findBySha256(file.sha256);
    if (!known) {
      const id = newId<DocumentId>(deps.clock());
      documents.insert({ id, path, title: basename(path, extname(path)), ...file, importedAt: deps.clock() });
      return { path, kind: "document", documentId: id };
    }
    const isSettled = known.status === "ready" || known.status === "needs_ocr";
    if (isSettled || inWork.has(known.id)) return { path, kind: "duplicate", documentId: known.id };
    documents.setPath(known.id, path);
    if (known.status === "failed") documents.setStatus(known.id, "queued");
    return { path, kind: "document", documentId: known.id };
  }

  async function readAll(context: JobContext<ImportInput>, ids: readonly DocumentId[]): Promise<void> {
    for (const [n, id] of ids.entries()) {
      const document = documents.get(id)!;
      context.progress({ n, total: ids.length, unit: "files", message: `Reading ${document.fileName}` });
      if (document.status !== "queued" && document.status !== "reading") continue;
      documents.setStatus(id, "reading");
      deps.changed([id]);
      await readOne(context, document);
      deps.changed([id]);
    }
  }

  async function readOne(context: JobContext<ImportInput>, document: DocumentRow): Promise<void> {
    try {
      await readDocument(deps, document, context.input.embed !== false, context.signal);
    } catch (error) {
      documents.setStatus(document.id, "failed", reasonOf(error, context.signal));
      if (!isAppError(error))
        deps.log.error({ scope: "corpus", documentId: document.id, err: error }, "reading failed");
      await deps.files.remove(document);
    }
  }

  /** One import embeds at a time: the embedder is one, and what waits belongs to all of them. */
  async function embedAll(context: JobContext<ImportInput>, ids: readonly DocumentId[]): Promise<void> {
    const report = {
      progress: (n: number, total: number) => context.progress({ n, total, unit: "chunks", message: "Embedding" }),
      changed: (id: DocumentId) => deps.changed([id]),
    };
    const turn = lastEmbedding.then(() => embedChunks(deps, report, context.signal));
    lastEmbedding = turn.catch(() => {});
    let reason: string | null = null;
    try {
      await turn;
    } catch (error) {
      if (!isEmbedderGone(error)) throw error;
      deps.log.warn({ scope: "corpus", err: error }, "documents stay without vectors");
      reason = `Search finds it by its words only. ${reasonOf(error, context.signal)}. Then import it again`;
    }
    for (const id of ids) {
      if (documents.get(id)?.status !== "embedding") continue;
      documents.setStatus(id, "ready", reason);
      deps.changed([id]);
    }
  }

  function settleCancelled(ids: readonly DocumentId[]): void {
    for (const id of ids) {
      const status = documents.get(id)?.status;
      if (status === "embedding")
        documents.setStatus(id, "ready", "Search finds it by its words only: the import was cancelled");
      if (status === "queued" || status === "reading")
        documents.setStatus(id, "failed", "The import was cancelled. Import it again");
    }
    deps.changed([...ids]);
  }

  function outcomeOf(decision: Decision): ImportedDocument {
    if (decision.kind === "failed") {
      const { path, reason } = decision;
      return {
        id: null,
        path,
        title: basename(path),
        sha256: null,
        nPages: 0,
        nChunks: 0,
        status: "failed",
        reason,
        pages: [],
      };
    }
    const document = documents.get(decision.documentId)!;
    const { id, title, sha256, nPages, nChunks } = document;
    const common = { id, path: decision.path, title, sha256, nPages, nChunks, pages: documents.pageSummaries(id) };
    if (decision.kind === "duplicate")
      return { ...common, status: "duplicate", reason: `Same content as ${document.path}` };
    const isSettled = document.status === "ready" || document.status === "needs_ocr";
    return {
      ...common,
      status: isSettled ? (document.status as "ready" | "needs_ocr") : "failed",
      reason: document.reason,
    };
  }

  return defineJob({
    type: IMPORT_JOB,
    lane: "cpu",
    recovery: "requeue",
    input: JobInputs["corpus.import"],
    title: titleOf,
    run,
  });
}

/** The documents that the job itself brings in, in the order of their files. */
function ownDocuments(decisions: Map<string, Decision>): DocumentId[] {
  return [...decisions.values()].flatMap((decision) => (decision.kind === "document" ? [decision.documentId] : []));
}

/** What goes into one file's row. A cancel and a full disk are no matter of one file and go on up. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) throw error;
  const { code, message, hint } = serializeError(error);
  if (code === "DISK_FULL") throw new AppError(code, message, { hint, cause: error });
  return hint === undefined ? message : `${message}. ${hint}`;
}

function titleOf({ paths }: ImportInput): string {
  return paths.length === 1 ? `Import ${basename(paths[0]!)}` : `Import ${paths.length} files and folders`;
}
