import { outputOf } from "../../../main/shared/contract/job-types.ts";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { once } from "node:events";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { JobId } from "../../../main/shared/ids.ts";
import { type CorpusBench, makeTempDir, openCorpus, REPOSITORY_DIR } from "../../harness/corpus-bench.ts";
import { linesFromTop, makePdf } from "../../harness/make-pdf.ts";

let temp: ReturnType<typeof makeTempDir>;
let paths: string[];
let bench: CorpusBench | undefined;

beforeEach(() => {
  temp = makeTempDir();
  mkdirSync(join(temp.dir, "in"));
  paths = Array.from({ length: 3 }, (_, paper) => {
    const path = join(temp.dir, "in", `${paper}.pdf`);
    const pages = Array.from({ length: 30 }, (_, page) => ({
      lines: linesFromTop(
        Array.from(
          { length: 30 },
          (_, line) => `Paper ${paper} page ${page} line ${line} tells of silk and its crystals.`,
        ),
      ),
    }));
    writeFileSync(path, makePdf(pages));
    return path;
  });
});
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  temp.remove();
});

const STAGES = {
  "while files are taken in": "SELECT 1 FROM document",
  "while the second paper is read": "SELECT 1 FROM document WHERE status = 'embedding'",
  "after all is read": "SELECT 1 WHERE (SELECT COUNT(*) FROM document WHERE status = 'embedding') = 3",
  "in the middle of embedding": "SELECT 1 WHERE (SELECT COUNT(*) FROM chunk_embedding) > 70",
  "when one paper is ready": "SELECT 1 FROM document WHERE status = 'ready'",
};

test.each(Object.entries(STAGES))(
  "kill -9 %s: the next start goes on, nothing twice, nothing lost",
  async (_name, query) => {
    const workspaceDir = join(temp.dir, "workspace");
    await importAndDie(workspaceDir, query);
    bench = openCorpus(workspaceDir);
    const { db, queue } = bench;
    const before = db
      .prepare("SELECT (SELECT COUNT(*) FROM chunk) AS chunks, (SELECT COUNT(*) FROM chunk_embedding) AS vectors")
      .get() as Counts;
    const keys = db.prepare("SELECT key, id FROM chunk").all();
    const job = await queue.wait(db.prepare("SELECT id FROM job").pluck().get() as JobId);
    const { documents } = outputOf(job, "corpus.import");

    expect(job.attempt).toBe(2);
    expect(documents.map(({ path, status }) => ({ path, status }))).toEqual(
      paths.map((path) => ({ path, status: "ready" })),
    );
    const after = db
      .prepare("SELECT (SELECT COUNT(*) FROM chunk) AS chunks, (SELECT COUNT(*) FROM chunk_embedding) AS vectors")
      .get() as Counts;
    expect(after.vectors).toBe(after.chunks);
    expect(after.chunks).toBe(documents.reduce((sum, document) => sum + document.nChunks, 0));
    expect(after.vectors).toBeGreaterThanOrEqual(before.vectors);
    // chunks that were written stay the same ones: others may point at them
    expect(db.prepare("SELECT key, id FROM chunk").all()).toEqual(expect.arrayContaining(keys));
    expect(db.prepare("SELECT COUNT(*) FROM chunk_vector_1").pluck().get() as number).toBe(after.vectors);
    expect(db.prepare("SELECT COUNT(*) FROM chunk_text WHERE chunk_text MATCH 'silk'").pluck().get()).toBe(
      after.chunks,
    );
    expect(await readdir(join(workspaceDir, "documents"))).toHaveLength(3);
  },
);

type Counts = { chunks: number; vectors: number };

async function importAndDie(workspaceDir: string, query: string): Promise<void> {
  const child = spawn(
    process.execPath,
    [join(REPOSITORY_DIR, "test/harness/import-child.ts"), workspaceDir, query, ...paths],
    {
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect({ code, signal }).toEqual({ code: null, signal: "SIGKILL" });
}
