import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createReaders } from "../../../main/engine/corpus/readers/readers.ts";
import { DEFAULT_PDF_LIMITS } from "../../../main/engine/corpus/readers/pdf/limits.ts";
import { DOCUMENT_FORMATS, isDocument } from "../../../main/shared/document-formats.ts";
import { PDF_WORKER_PATH, REPOSITORY_DIR } from "../../harness/corpus-bench.ts";

const readers = createReaders({ pdfWorkerPath: PDF_WORKER_PATH, limits: DEFAULT_PDF_LIMITS });

test("every format has a folder and a reader that says it is of this format", () => {
  const folders = readdirSync(join(REPOSITORY_DIR, "main/engine/corpus/readers"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  expect(Object.keys(DOCUMENT_FORMATS).toSorted()).toEqual(folders.toSorted());
  for (const format of Object.values(DOCUMENT_FORMATS)) expect(readers.of(format).format).toBe(format);
  expect(() => readers.of({ mediaType: "text/none" })).toThrow(/no reader/);
});

test("a file is known by its first bytes, not by its name", () => {
  expect(readers.recognise(Buffer.from("junk before it\n%PDF-1.7\n"))?.format).toBe(DOCUMENT_FORMATS.pdf);
  expect(readers.recognise(Buffer.from("PK\u0003\u0004 a zip archive"))).toBeUndefined();
  expect(readers.recognise(Buffer.alloc(0))).toBeUndefined();
});

test("what is chosen or dropped is a document by its media type or by its ending", () => {
  expect(isDocument({ name: "paper", type: "application/pdf" })).toBe(true);
  expect(isDocument({ name: "Paper.PDF", type: "" })).toBe(true);
  expect(isDocument({ name: "paper.pdf.zip", type: "application/zip" })).toBe(false);
});
