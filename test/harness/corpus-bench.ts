import { outputOf } from "../../main/shared/contract/job-types.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Corpus, createCorpus, type PdfLimits } from "../../main/engine/corpus/index.ts";
import { closeDatabase, type Db, openDatabase } from "../../main/engine/db/index.ts";
import type { Embedder } from "../../main/engine/embedding/index.ts";
import { createJobQueue, createJobStore, type JobQueue } from "../../main/engine/jobs/index.ts";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import type { ImportOutput } from "../../main/shared/contract/corpus.ts";
import type { JobId } from "../../main/shared/ids.ts";
import { createFakeEmbedder } from "./fake-embedder.ts";

export const REPOSITORY_DIR = fileURLToPath(new URL("../../", import.meta.url));
export const SAMPLE_CORPUS_DIR = join(REPOSITORY_DIR, "resources/sample-corpus");
export const PDF_WORKER_PATH = join(REPOSITORY_DIR, "main/engine/corpus/readers/pdf/pdf-worker.ts");

export type CorpusBench = {
  db: Db;
  corpus: Corpus;
  queue: JobQueue;
  importPaths(paths: string[], options?: { embed?: boolean }): Promise<ImportOutput>;
  close(): Promise<void>;
};

export type CorpusBenchOptions = { embedder?: Embedder; limits?: Partial<PdfLimits>; onChanged?: () => void };

/** The corpus on a real database with a real job queue; only the embedder may be a fake. */
export function openCorpus(workspaceDir: string, options: CorpusBenchOptions = {}): CorpusBench {
  const db = openDatabase(workspaceDir);
  const log = createSilentLogger();
  const clock = () => Date.now();
  const corpus = createCorpus({
    db,
    embedder: options.embedder ?? createFakeEmbedder(),
    clock,
    log,
    emit: () => options.onChanged?.(),
    enqueue: (request) => queue.enqueue(request),
    workspaceDir,
    sampleCorpusDir: SAMPLE_CORPUS_DIR,
    pdfWorkerPath: PDF_WORKER_PATH,
    ...(options.limits ? { limits: options.limits } : {}),
  });
  const queue = createJobQueue({ store: createJobStore(db, clock), definitions: corpus.jobs, log, onChange: () => {} });
  queue.open();
  return {
    db,
    corpus,
    queue,
    async importPaths(paths, { embed } = {}) {
      const input = { paths, ...(embed === undefined ? {} : { embed }) };
      const { jobId } = await corpus.handlers.importFiles(input, new AbortController().signal);
      const job = await queue.wait(jobId as JobId);
      return outputOf(job, "corpus.import");
    },
    async close() {
      await queue.close();
      closeDatabase(db);
    },
  };
}

export function makeTempDir(): { dir: string; remove(): void } {
  const dir = mkdtempSync(join(tmpdir(), "preflexor-corpus-"));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
