import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { rectsOf } from "../../../main/engine/corpus/readers/pdf/rects.ts";
import { DEFAULT_PDF_LIMITS } from "../../../main/engine/corpus/readers/pdf/limits.ts";
import { createPdfReader } from "../../../main/engine/corpus/readers/pdf/pdf-reader.ts";
import type { PdfText } from "../../../main/engine/corpus/readers/pdf/worker-protocol.ts";
import { PDF_WORKER_PATH, REPOSITORY_DIR, SAMPLE_CORPUS_DIR } from "../../harness/corpus-bench.ts";

type TruthPage = { page: number; someSentences: { text: string }[] };

const TRUTH_DIR = join(REPOSITORY_DIR, "test/fixtures/corpus-truth");
const FILES = readdirSync(SAMPLE_CORPUS_DIR).filter((name) => name.endsWith(".pdf"));
const reader = createPdfReader({ workerPath: PDF_WORKER_PATH, limits: DEFAULT_PDF_LIMITS });
const flat = (text: string) => text.replace(/\s+/g, " ");

test("every paper of the sample has its truth and its attribution", () => {
  const attribution = readFileSync(join(SAMPLE_CORPUS_DIR, "ATTRIBUTION.md"), "utf8");
  expect(readdirSync(TRUTH_DIR)).toEqual(FILES.map((name) => `${name}.json`));
  for (const name of FILES) expect(attribution).toContain(`\`${name}\``);
});

describe.each(FILES)("%s", (name) => {
  const path = join(SAMPLE_CORPUS_DIR, name);
  const truth = JSON.parse(readFileSync(join(TRUTH_DIR, `${name}.json`), "utf8")) as TruthPage[];
  let pdf: PdfText;
  beforeAll(async () => void (pdf = await reader.readText(path)));

  test("every sentence of the truth stands on its page", () => {
    const missing = truth.flatMap(({ page, someSentences }) =>
      someSentences
        .filter(({ text }) => !flat(pdf.pages[page - 1]!.text).includes(flat(text)))
        .map(({ text }) => `${page}: ${text}`),
    );
    expect(missing).toEqual([]);
  });

  test("every page reads well, and the title is the paper's", () => {
    expect(pdf.pages.map((page) => page.quality)).toEqual(truth.map(() => "good"));
    expect(flat(pdf.pages[0]!.text).toLowerCase()).toContain(flat(pdf.title!).toLowerCase().slice(0, 40));
  });

  test("a sentence of the truth is located on its page, in rectangles that hold its letters and no line twice", async () => {
    const { page, someSentences } = truth.find(({ someSentences }) => someSentences.length > 0)!;
    const { text } = pdf.pages[page - 1]!;
    const glyphs = await reader.readGlyphs(path, page, text);
    for (const sentence of someSentences) {
      const start = text.indexOf(sentence.text);
      expect(start).toBeGreaterThanOrEqual(0);
      const rects = rectsOf(glyphs, start, start + sentence.text.length);
      expect(rects.length).toBeGreaterThanOrEqual(1);
      for (const { left, top, width, height } of rects) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(top).toBeGreaterThanOrEqual(0);
        expect(left + width).toBeLessThanOrEqual(glyphs.widthPt);
        expect(top + height).toBeLessThanOrEqual(glyphs.heightPt);
        expect(height).toBeGreaterThan(4);
        expect(height).toBeLessThan(30);
      }
      // a letter of running text is a third to three quarters of its height wide
      const perLetter = rects.reduce((sum, rect) => sum + rect.width, 0) / sentence.text.length / rects[0]!.height;
      expect(perLetter).toBeGreaterThan(0.2);
      expect(perLetter).toBeLessThan(0.8);
    }
  });

  test("reading it again gives the same text", async () => {
    expect(await reader.readText(path)).toEqual(pdf);
  });
});
