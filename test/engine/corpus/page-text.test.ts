import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { rectsOf } from "../../../main/engine/corpus/readers/pdf/rects.ts";
import { textOf, UNREADABLE } from "../../../main/engine/corpus/readers/pdf/characters.ts";
import { addWords, chooseHyphen, createVocabulary } from "../../../main/engine/corpus/readers/pdf/hyphens.ts";
import { DEFAULT_PDF_LIMITS } from "../../../main/engine/corpus/readers/pdf/limits.ts";
import { createPdfReader } from "../../../main/engine/corpus/readers/pdf/pdf-reader.ts";
import { pageQuality } from "../../../main/engine/corpus/readers/pdf/page-quality.ts";
import { makeTempDir, PDF_WORKER_PATH } from "../../harness/corpus-bench.ts";
import { linesFromTop, makePdf, type PdfOptions, type PdfPage } from "../../harness/make-pdf.ts";

const temp = makeTempDir();
afterAll(() => temp.remove());
const reader = createPdfReader({ workerPath: PDF_WORKER_PATH, limits: DEFAULT_PDF_LIMITS });
let nPdfs = 0;

function write(pages: PdfPage[], options?: PdfOptions): string {
  const path = join(temp.dir, `${nPdfs++}.pdf`);
  writeFileSync(path, makePdf(pages, options));
  return path;
}
const readPage = async (lines: PdfPage["lines"]) => (await reader.readText(write([{ lines }]))).pages[0]!.text;

describe("lines and paragraphs", () => {
  test("a line break inside a paragraph is a space, a gap begins a new paragraph", async () => {
    const text = await readPage([
      ...linesFromTop(["Silk is strong because its crystals hold", "the chains of protein together in the", "fibre."], {
        top: 720,
      }),
      ...linesFromTop(["A second paragraph begins after the gap", "and goes on."], { top: 640 }),
    ]);
    expect(text).toBe(
      "Silk is strong because its crystals hold the chains of protein together in the fibre.\nA second paragraph begins after the gap and goes on.",
    );
  });

  test("a sentence goes on from the foot of one column to the head of the next", async () => {
    const text = await readPage([
      ...linesFromTop(["The fibre was drawn from the", "gland at a speed that is"], { x: 72, top: 720 }),
      ...linesFromTop(["higher than that of the living", "animal."], { x: 320, top: 720 }),
    ]);
    expect(text).toBe("The fibre was drawn from the gland at a speed that is higher than that of the living animal.");
  });

  test("a raised number stays at its word", async () => {
    const text = await readPage([
      { text: "a rate of 10 K s", x: 72, y: 700 },
      { text: "-1", x: 147, y: 704, size: 7 },
      { text: "was held", x: 157, y: 700 },
    ]);
    expect(text).toBe("a rate of 10 K s-1 was held");
  });

  test("the numbers in the margin of a draft are no text, those of a list are", async () => {
    const body = Array.from(
      { length: 12 },
      (_, i) => `the line of text that has the letter ${"abcdefghijkl"[i]} in it and goes on`,
    );
    const draft = await readPage(
      linesFromTop(body).flatMap((line, i) => [{ text: String(i + 1), x: i < 9 ? 56 : 50, y: line.y, size: 11 }, line]),
    );
    expect(draft).not.toMatch(/\d/);
    const list = await readPage(linesFromTop(body.slice(0, 5).map((text, i) => `${i + 1} ${text}`)));
    expect(list).toMatch(/^1 the line/);
  });
});

describe("broken words", () => {
  const vocabulary = createVocabulary();
  addWords(
    vocabulary,
    "The framework is redox-active and three-dimensional, of one kind; pretreatment was long. See X-ray data.",
  );

  test.each([
    ["frame", "work", ""],
    ["redox", "active", "-"],
    ["one", "dimensional", "-"],
    ["con", "structed", ""],
    ["X", "ray", "-"],
    ["Kohn", "Sham", "-"],
    ["pre", "and", "- "],
  ] as const)("%s- | %s", (before, after, choice) => {
    expect(chooseHyphen(vocabulary, before, after)).toBe(choice);
  });

  test("are joined on the page, and the page still knows where their letters stand", async () => {
    const lines = linesFromTop([
      "Many proteins unfold when they are con-",
      "structed of chains that are cross-",
      "linked. We saw cross-linked ones.",
    ]);
    const path = write([{ lines }]);
    const { text } = (await reader.readText(path)).pages[0]!;
    expect(text).toBe(
      "Many proteins unfold when they are constructed of chains that are cross-linked. We saw cross-linked ones.",
    );
    const glyphs = await reader.readGlyphs(path, 1, text);
    const at = text.indexOf("constructed");
    const rects = rectsOf(glyphs, at, at + "constructed".length);
    expect(rects).toHaveLength(2);
    expect(rects[0]!.left).toBeGreaterThan(200);
    expect(rects[1]!.left).toBeCloseTo(72, 0);
    expect(rects[1]!.top - rects[0]!.top).toBeCloseTo(14, 0);
  });
});

describe("places on the page", () => {
  test("are told from the corner of the crop box, before the page is turned", async () => {
    const path = write([{ lines: linesFromTop(["Silk is tough."]), cropBox: [50, 100, 562, 752], rotate: 90 }]);
    const { text } = (await reader.readText(path)).pages[0]!;
    const glyphs = await reader.readGlyphs(path, 1, text);
    expect([glyphs.widthPt, glyphs.heightPt]).toEqual([512, 652]);
    const [rect] = rectsOf(glyphs, 0, 4);
    expect(rect!.left).toBeCloseTo(22, 0);
    // the baseline is 32 points below the top of the crop box
    expect(rect!.top).toBeLessThan(32);
    expect(rect!.top + rect!.height).toBeGreaterThan(32);
  });

  test("are not guessed when the page gives another text than the stored one", async () => {
    const path = write([{ lines: linesFromTop(["Silk is tough."]) }]);
    const glyphs = await reader.readGlyphs(path, 1, "Steel is tough.");
    expect(rectsOf(glyphs, 0, 15)).toEqual([]);
    expect(glyphs.widthPt).toBe(612);
  });
});

describe("title", () => {
  const large = { text: "Toughness of spider silk under strain", x: 72, y: 740, size: 20 };
  const page = {
    lines: [
      { text: "Journal of Fibres 12 (2020)", x: 72, y: 770, size: 9 },
      large,
      ...linesFromTop(["Silk is tough.", "It is light."], { top: 680 }),
    ],
  };

  test("is the metadata's when it reads like one", async () => {
    expect((await reader.readText(write([page], { title: "On the silk of spiders" }))).title).toBe(
      "On the silk of spiders",
    );
  });
  test.each(["untitled", "Microsoft Word - paper3.docx", "main.tex", ""])(
    "is the largest text when the metadata says %j",
    async (title) => {
      expect((await reader.readText(write([page], { title }))).title).toBe(large.text);
    },
  );
  test("is missing when nothing looks like one", async () => {
    expect(
      (await reader.readText(write([{ lines: linesFromTop(["Silk is tough.", "It is light."]) }]))).title,
    ).toBeNull();
  });
});

describe("characters", () => {
  test.each([
    [0xfb01, "fi"],
    [0xfb03, "ffi"],
    [0xe104, "fl"],
    [0xad, "-"],
    [0x3, UNREADABLE],
    [0xf026, UNREADABLE],
    [0x200b, ""],
    [0x2009, " "],
    [0x1d440, "\u{1d440}"],
  ])("U+%s", (code, text) => expect(textOf(code)).toBe(text));
});

test("page quality", () => {
  expect([pageQuality("Silk is tough: 3.4 GPa."), pageQuality("� �� � � �� ab �� �"), pageQuality(" · — ")]).toEqual([
    "good",
    "poor",
    "none",
  ]);
});
