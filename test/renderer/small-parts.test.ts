import { describe, expect, it } from "vitest";
import { bandsOfRects } from "../../renderer/lib/chunk-bands.ts";
import { describeDrag } from "../../renderer/lib/dropped-files.ts";
import { formatBytes, formatDuration, formatRelative, formatShare, plural } from "../../renderer/lib/format.ts";
import { nodeSize, rangesOfWords, startPosition } from "../../renderer/lib/graph-view.ts";
import { placeOfResult } from "../../renderer/lib/job-place.ts";
import { matchWords } from "../../renderer/lib/match-words.ts";
import { placeCards } from "../../renderer/lib/place-cards.ts";
import { spreadLabels, STAGE } from "../../renderer/lib/spread-labels.ts";
import { textYield } from "../../renderer/lib/text-yield.ts";

describe("describeDrag", () => {
  const pdf = { kind: "file", type: "application/pdf" };
  const unknown = { kind: "file", type: "" };
  const image = { kind: "file", type: "image/png" };
  it("says what dropping will do", () => {
    expect(describeDrag(Array.from({ length: 14 }, () => pdf))).toBe("Import 14 PDFs into the corpus");
    expect(describeDrag([pdf, unknown, image])).toBe(
      "Import 1 PDF and 1 folder or file into the corpus (1 other file will be left out)",
    );
    expect(describeDrag([unknown])).toBe("Import the PDFs of 1 folder or file into the corpus");
    expect(describeDrag([image])).toContain("nothing to import");
  });
  it("ignores a drag of text", () => {
    expect(describeDrag([{ kind: "string", type: "text/plain" }])).toBeNull();
  });
});

describe("bandsOfRects", () => {
  const line = (left: number, top: number) => ({ left, top, width: 200, height: 10 });
  it("makes one band per column that a chunk runs through", () => {
    expect(bandsOfRects([line(50, 700), line(50, 712), line(300, 80), line(300, 92)])).toEqual([
      { left: 50, top: 700, bottom: 722 },
      { left: 300, top: 80, bottom: 102 },
    ]);
  });
  it("keeps a superscript, which stands a little higher, in its column", () => {
    expect(bandsOfRects([line(50, 100), { left: 248, top: 97, width: 5, height: 8 }, line(50, 112)])).toHaveLength(1);
  });
});

describe("placeCards", () => {
  it("puts each card where it wants to be and never over another one", () => {
    const cards = [
      { heightPx: 50, wantedTopPx: 100 },
      { heightPx: 40, wantedTopPx: 20 },
      { heightPx: 30, wantedTopPx: 110 },
      { heightPx: 30, wantedTopPx: null },
    ];
    expect(placeCards(cards).map(({ topPx }) => topPx)).toEqual([100, 20, 158, 196]);
  });
});

describe("matchWords", () => {
  it("prefers the beginning of the label, then of a word, then anything", () => {
    const labels = ["paragraph", "Build the graph", "graphene"];
    expect(labels.toSorted((a, b) => matchWords(b, "graph") - matchWords(a, "graph"))).toEqual([
      "graphene",
      "Build the graph",
      "paragraph",
    ]);
  });
  it("wants every typed word", () => {
    expect(matchWords("tap density", "density tap")).toBeGreaterThan(0);
    expect(matchWords("tap density", "density functional")).toBe(0);
  });
});

describe("the graph's small decisions", () => {
  it("joins finds that overlap, whatever their case", () => {
    expect(rangesOfWords("Metallic glass and GLASS", ["glass", "metallic glass"])).toEqual([
      { start: 0, end: 14 },
      { start: 19, end: 24 },
    ]);
  });
  it("gives no two concepts the same start, and more evidence a larger node", () => {
    const places = new Set(Array.from({ length: 2000 }, (_, i) => JSON.stringify(startPosition(i))));
    expect(places.size).toBe(2000);
    expect(nodeSize(10, 10, 40)).toBeGreaterThan(nodeSize(2, 10, 40));
  });
});

describe("spreadLabels", () => {
  const LINE = 16;
  it("leaves no label on another node or label, however crowded the start", () => {
    const nodes = Array.from({ length: 60 }, (_, i) => ({ x: i % 3, y: i % 4, reach: 6, width: 60 + (i % 5) * 20 }));
    const places = spreadLabels(nodes);
    const overlaps = places.flatMap((a, i) =>
      places.slice(i + 1).filter((b, k) => {
        const other = nodes[i + 1 + k]!;
        const apartX = a.x - 6 > b.x + 6 + other.width || b.x - 6 > a.x + 6 + nodes[i]!.width;
        return !apartX && Math.abs(a.y - b.y) < LINE;
      }),
    );
    expect(overlaps).toEqual([]);
  });
  it("leaves alone what has room", () => {
    const places = spreadLabels([
      { x: 0, y: 0, reach: 5, width: 50 },
      { x: 1, y: 1, reach: 5, width: 50 },
    ]);
    expect(places).toEqual([
      { x: 0, y: 0 },
      { x: STAGE.width, y: STAGE.height },
    ]);
  });
});

describe("words for numbers", () => {
  it("keeps units and never shows something as nothing", () => {
    expect([formatBytes(999), formatBytes(98_362_432), formatBytes(1_250_000_000)]).toEqual([
      "999 B",
      "98 MB",
      "1.3 GB",
    ]);
    expect([
      formatDuration(340),
      formatDuration(4200),
      formatDuration(59_900),
      formatDuration(200_000),
      formatDuration(7_500_000),
    ]).toEqual(["340 ms", "4.2 s", "60 s", "3 min 20 s", "2 h 5 min"]);
    expect([formatShare(0), formatShare(0.004), formatShare(0.5)]).toEqual(["0 %", "< 1 %", "50 %"]);
    expect([plural(1, "page"), plural(1200, "page")]).toEqual(["1 page", "1,200 pages"]);
    expect([formatRelative(0, 10_000), formatRelative(0, 300_000), formatRelative(0, 2 * 86_400_000)]).toEqual([
      "just now",
      "5 min ago",
      "2 days ago",
    ]);
  });
  it("warns of pages without text", () => {
    expect(textYield(12, 9)).toEqual({ text: "3 of 12 pages have no text", isPartial: true });
    expect(textYield(2, 1).text).toBe("1 of 2 pages has no text");
    expect(textYield(12, 12).isPartial).toBe(false);
  });
});

describe("placeOfResult", () => {
  it("leads to the reflection that a job made, and nowhere for what has no screen", () => {
    const reflectionId = "01890000-0000-7000-8000-000000000000";
    expect(placeOfResult({ type: "reflection.run", about: reflectionId })?.route).toEqual({
      screen: "reflect",
      reflectionId,
    });
    expect(placeOfResult({ type: "training.run", about: null })).toBeUndefined();
  });
});
