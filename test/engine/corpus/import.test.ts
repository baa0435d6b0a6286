import { outputOf } from "../../../main/shared/contract/job-types.ts";
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../../main/shared/errors.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import type { Embedder } from "../../../main/engine/embedding/index.ts";
import { type CorpusBench, makeTempDir, openCorpus } from "../../harness/corpus-bench.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";
import { linesFromTop, makePdf } from "../../harness/make-pdf.ts";

const PROSE = [
  "Spider silk combines strength and toughness in a way that no steel can match.",
  "Its beta-sheet crystals act as cross-links between amorphous chains of protein.",
  "When the fibre is pulled the crystals stay whole while the chains unfold slowly.",
];

let temp: ReturnType<typeof makeTempDir>;
let bench: CorpusBench | undefined;
beforeEach(() => void (temp = makeTempDir()));
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  temp.remove();
});

function write(name: string, content: Buffer | string): string {
  const path = join(temp.dir, "in", name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const open = (options?: Parameters<typeof openCorpus>[1]) => (bench = openCorpus(join(temp.dir, "workspace"), options));
const paper = (...extra: string[]) => makePdf([{ lines: linesFromTop([...PROSE, ...extra]) }]);

describe("one bad file among good ones", () => {
  test("each failure has its own status and reason, and the good paper is ready", async () => {
    const paths = {
      good: write("good.pdf", paper()),
      text: write("notes.txt", "no PDF at all"),
      empty: write("empty.pdf", ""),
      locked: write("locked.pdf", makePdf([{ lines: linesFromTop(PROSE) }], { userPassword: "secret" })),
      damaged: write("damaged.pdf", Buffer.concat([Buffer.from("%PDF-1.4\n"), Buffer.alloc(4000, "x")])),
      scan: write("scan.pdf", makePdf([{ lines: [] }, { lines: [] }])),
    };
    const missing = join(temp.dir, "in", "missing.pdf");
    const { documents } = await open().importPaths([...Object.values(paths), missing]);
    const byPath = Object.fromEntries(documents.map((document) => [document.path, document]));
    expect(byPath[paths.good]).toMatchObject({ status: "ready", nPages: 1, reason: null });
    expect(byPath[paths.text]).toMatchObject({
      status: "failed",
      id: null,
      reason: expect.stringContaining("not a PDF"),
    });
    expect(byPath[paths.empty]).toMatchObject({ status: "failed", reason: expect.stringContaining("empty") });
    expect(byPath[paths.locked]).toMatchObject({ status: "failed", reason: expect.stringContaining("password") });
    expect(byPath[paths.damaged]).toMatchObject({ status: "failed", reason: expect.stringContaining("damaged") });
    expect(byPath[paths.scan]).toMatchObject({
      status: "needs_ocr",
      nPages: 2,
      pages: [{ quality: "none" }, { quality: "none" }],
    });
    expect(byPath[missing]).toMatchObject({ status: "failed", reason: expect.stringContaining("no such file") });
  });

  test("a document over the page limit is refused, and so is one over the size limit", async () => {
    const long = write("long.pdf", makePdf(Array.from({ length: 4 }, () => ({ lines: linesFromTop(PROSE) }))));
    const large = write("large.pdf", Buffer.concat([paper(), Buffer.alloc(300_000, " ")]));
    const { documents } = await open({ limits: { maxPages: 3, maxSizeBytes: 200_000 } }).importPaths([long, large]);
    expect(documents.map((document) => document.reason)).toEqual([
      expect.stringContaining("4 pages"),
      expect.stringContaining("larger than"),
    ]);
  });

  test("a document that needs too much memory is refused, and the next one is read", async () => {
    const large = write("large.pdf", Buffer.concat([paper("large"), Buffer.alloc(40 * 2 ** 20, " ")]));
    const { documents } = await open({ limits: { maxMemoryMb: 24 } }).importPaths([large, write("small.pdf", paper())]);
    expect(documents).toMatchObject([
      { status: "failed", reason: expect.stringContaining("24 MB of memory") },
      { status: "ready" },
    ]);
  });

  test("a document that takes too long is given up, and the batch goes on", async () => {
    const slow = makePdf(
      Array.from({ length: 400 }, () => ({ lines: linesFromTop(Array.from({ length: 50 }, () => PROSE[0]!)) })),
    );
    const { documents } = await open({ limits: { timeoutMs: 150 } }).importPaths([
      write("slow.pdf", slow),
      write("no.txt", "x"),
    ]);
    expect(documents).toMatchObject([
      { status: "failed", reason: expect.stringContaining("longer than") },
      { status: "failed" },
    ]);
  });

  test("a copy of what could not be read does not stay in the workspace", async () => {
    const locked = makePdf([{ lines: linesFromTop(PROSE) }], { userPassword: "secret" });
    await open().importPaths([write("locked.pdf", locked)]);
    expect(readdirSync(join(temp.dir, "workspace", "documents"))).toEqual([]);
  });
});

describe("folders and duplicates", () => {
  test("a folder is searched to its depth, hidden files and circles of links apart", async () => {
    write("a.pdf", paper("a"));
    write("deep/er/b.pdf", paper("b"));
    write(".hidden/c.pdf", paper("c"));
    symlinkSync(join(temp.dir, "in"), join(temp.dir, "in", "deep", "circle"));
    const { documents } = await open().importPaths([join(temp.dir, "in")]);
    expect(documents.map((document) => document.path.slice(temp.dir.length))).toEqual([
      "/in/a.pdf",
      "/in/deep/er/b.pdf",
    ]);
  });

  test("the same content is stored once, whatever it is called and whenever it comes", async () => {
    const first = write("first.pdf", paper());
    const twin = write("twin.pdf", paper());
    const { importPaths, corpus } = open();
    const one = await importPaths([first, twin]);
    const two = await importPaths([twin]);
    expect(one.documents.map((document) => document.status)).toEqual(["ready", "duplicate"]);
    expect(two.documents[0]).toMatchObject({ status: "duplicate", id: one.documents[0]!.id, path: twin });
    expect(corpus.api.counts().nDocuments).toBe(1);
  });

  test("a document that failed before is tried again when it comes again", async () => {
    const path = write("paper.pdf", makePdf(Array.from({ length: 3 }, () => ({ lines: linesFromTop(PROSE) }))));
    await open({ limits: { maxPages: 2 } }).importPaths([path]);
    await bench!.close();
    const { documents } = await open().importPaths([path]);
    expect(documents[0]).toMatchObject({ status: "ready", nPages: 3 });
  });
});

describe("stages", () => {
  test("a document is announced in each of its stages", async () => {
    const seen: string[] = [];
    const { importPaths, db } = open({
      onChanged: () => seen.push(db.prepare("SELECT status FROM document").pluck().get() as string),
    });
    await importPaths([write("paper.pdf", paper())]);
    expect(seen).toEqual(["queued", "reading", "embedding", "ready"]);
  });

  test("without the embedder documents are ready for words, say so, and a later import embeds them", async () => {
    const gone = createFakeEmbedder() as Embedder;
    const fail = () =>
      Promise.reject(new AppError("EMBEDDER_UNAVAILABLE", "The embedding model is missing", { hint: "Fetch it" }));
    const path = write("paper.pdf", paper());
    const without = open({ embedder: { ...gone, space: fail, embed: fail, countTokens: fail } });
    const { documents } = await without.importPaths([path]);
    expect(documents[0]).toMatchObject({ status: "ready", reason: expect.stringContaining("Fetch it") });
    const found = await without.corpus.api.search({ query: "spider silk" });
    expect(found).toMatchObject({ hits: [{ page: 1 }], warning: expect.stringContaining("words only") });
    await expect(without.corpus.api.search({ query: "silk", mode: "vector" })).rejects.toMatchObject({
      code: "EMBEDDER_UNAVAILABLE",
    });
    await without.close();
    const { importPaths, corpus } = open();
    await importPaths([path]);
    const [row] = (await corpus.handlers.listDocuments({}, never())) as {
      nChunks: number;
      nChunksEmbedded: number;
      reason: string | null;
    }[];
    expect(row).toMatchObject({ nChunks: 1, nChunksEmbedded: 1, reason: null });
  });

  test("embed:false leaves vectors out until an import with them", async () => {
    const { importPaths, corpus } = open();
    const path = write("paper.pdf", paper());
    const { documents } = await importPaths([path], { embed: false });
    expect(documents[0]).toMatchObject({ status: "ready", reason: expect.stringContaining("without embedding") });
    expect((await corpus.api.search({ query: "silk" })).hits).toHaveLength(1);
    await importPaths([path]);
    expect((await corpus.api.search({ query: "silk", mode: "vector" })).hits).toHaveLength(1);
  });

  test("a cancelled import leaves no document half-way", async () => {
    const { corpus, queue, db } = open({ embedder: createFakeEmbedder({ delayMs: 50 }) });
    const pages = Array.from({ length: 60 }, (_, i) => ({
      lines: linesFromTop(PROSE.map((line) => `${line} Page ${i}.`)),
    }));
    const started = await corpus.handlers.importFiles({ paths: [write("paper.pdf", makePdf(pages))] }, never());
    const jobId = started.jobId as JobId;
    const ended = queue.wait(jobId).catch((error: AppError) => error.code);
    while (db.prepare("SELECT 1 FROM chunk_embedding").get() === undefined)
      await new Promise((resolve) => setTimeout(resolve, 5));
    queue.cancel(jobId);
    expect(await ended).toBe("CANCELLED");
    const [row] = (await corpus.handlers.listDocuments({}, never())) as { status: string; reason: string }[];
    expect(row).toMatchObject({ status: "ready", reason: expect.stringContaining("cancelled") });
  });
});

test("closing the engine in the middle leaves the import for the next start, which finishes it", async () => {
  const slow = open({ embedder: createFakeEmbedder({ delayMs: 50 }) });
  const path = write("paper.pdf", makePdf(bulk(1)));
  const { jobId } = await slow.corpus.handlers.importFiles({ paths: [path] }, never());
  while (slow.db.prepare("SELECT 1 FROM chunk_embedding").get() === undefined)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await slow.close();
  const { queue } = open();
  const { documents } = outputOf(await queue.wait(jobId as JobId), "corpus.import");
  expect(documents).toMatchObject([{ path, status: "ready", reason: null }]);
});

describe("a full disk", () => {
  test("ends the job with DISK_FULL, and the same import goes on when there is room", async () => {
    const { importPaths, db } = open();
    const paths = Array.from({ length: 6 }, (_, i) => write(`${i}.pdf`, makePdf(bulk(i))));
    const nPages = Number(db.pragma("page_count", { simple: true }));
    db.pragma(`max_page_count = ${nPages + 30}`);
    await expect(importPaths(paths)).rejects.toMatchObject({
      code: "DISK_FULL",
      hint: expect.stringContaining("Free some space"),
    });
    db.pragma("max_page_count = 1000000");
    const { documents } = await importPaths(paths);
    expect(documents.map((document) => document.status)).not.toContain("failed");
    expect(bench!.corpus.api.counts()).toMatchObject({ nDocuments: 6, nReady: 6 });
  });
});

test("the workspace holds each PDF under its hash, and gives its bytes back", async () => {
  const content = paper();
  const { documents } = await open().importPaths([write("paper.pdf", content)]);
  const { id, sha256 } = documents[0]!;
  expect(existsSync(join(temp.dir, "workspace", "documents", `${sha256}.pdf`))).toBe(true);
  const bytes = await bench!.corpus.handlers.getPdf({ documentId: id! }, never());
  expect(Buffer.from(bytes).equals(content)).toBe(true);
});

function bulk(seed: number) {
  return Array.from({ length: 12 }, (_, page) => ({
    lines: linesFromTop(
      Array.from(
        { length: 40 },
        (_, line) => `Sample ${seed} on page ${page} shows in line ${line} a new value of strain.`,
      ),
    ),
  }));
}

function never(): AbortSignal {
  return new AbortController().signal;
}
