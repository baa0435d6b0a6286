import type { MarkerSet } from "./markers.ts";

/** What a response holds: `[thinking][reflection]answer`. An absent part is the empty text. */
export type ResponseParts = { thinking: string; reflection: string; answer: string };

/** What is wrong with the form of a response. `reordered`: a part stands after one that it should precede. */
export type ResponseProblem =
  | "thinking_missing"
  | "answer_missing"
  | "reordered"
  | `${BlockName}_${"unclosed" | "unopened" | "repeated" | "nested"}`;

export type ParsedResponse = ResponseParts & { problems: ResponseProblem[] };

type BlockName = "thinking" | "reflection";
type Marker = { block: BlockName; isOpen: boolean };
type Piece = { kind: "text"; text: string } | { kind: "marker"; marker: Marker };

const PART_ORDER = ["thinking", "reflection", "answer"] as const;

/**
 * Takes a model's response apart, whatever it did with the markers. Never throws; the parts are trimmed and hold no
 * marker; all other text is kept in one of them. A closing marker without its opening one ends a block that began
 * with the text, as when the opening marker was pre-filled.
 */
export function parseResponse(text: string, markers: MarkerSet): ParsedResponse {
  const pieces = splitAtMarkers(text, markers);
  const problems = new Set<ResponseProblem>();
  const found: Record<keyof ResponseParts, string[]> = { thinking: [], reflection: [], answer: [] };
  const opened = new Set<BlockName>();
  const open: BlockName[] = [];

  pieces.forEach((piece, index) => {
    if (piece.kind === "text") return add(found, open.at(-1) ?? "answer", piece.text, problems);
    const { block, isOpen } = piece.marker;
    if (isOpen) openBlock(block, index);
    else closeBlock(block);
  });
  for (const block of open) problems.add(`${block}_unclosed`);

  function openBlock(block: BlockName, index: number): void {
    const current = open.at(-1);
    if (open.includes(block)) return void problems.add(`${block}_nested`);
    if (current && closesLater(pieces, index, current)) problems.add(`${block}_nested`);
    else if (current) problems.add(`${open.pop()!}_unclosed`);
    if (opened.has(block)) problems.add(`${block}_repeated`);
    opened.add(block);
    open.push(block);
  }

  function closeBlock(block: BlockName): void {
    if (open.includes(block)) {
      while (open.at(-1) !== block) problems.add(`${open.pop()!}_unclosed`);
      open.pop();
      return;
    }
    problems.add(`${block}_unopened`);
    if (opened.has(block) || open.length > 0) return;
    opened.add(block);
    found[block].push(...found.answer.splice(0));
  }

  const parts = {
    thinking: join(found.thinking),
    reflection: join(found.reflection),
    answer: join(found.answer),
  };
  if (!opened.has("thinking")) problems.add("thinking_missing");
  if (parts.answer === "") problems.add("answer_missing");
  return { ...parts, problems: [...problems] };
}

/**
 * The text of a response. A newline stands before each marker, because tokenisers merge a full stop with the bracket
 * that follows it. Markers inside the parts are left out: a paper may well contain them.
 */
export function formatResponse(parts: ResponseParts, markers: MarkerSet): string {
  const clean = (text: string) =>
    join(splitAtMarkers(text, markers).flatMap((piece) => (piece.kind === "text" ? [piece.text] : [])));
  const block = (open: string, text: string, close: string) => (text === "" ? [] : [open, text, close]);
  return [
    ...block(markers.thinkingOpen, clean(parts.thinking), markers.thinkingClose),
    ...block(markers.reflectOpen, clean(parts.reflection), markers.reflectClose),
    clean(parts.answer),
  ].join("\n");
}

function splitAtMarkers(text: string, markers: MarkerSet): Piece[] {
  const known: [string, Marker][] = [
    [markers.thinkingOpen, { block: "thinking", isOpen: true }],
    [markers.thinkingClose, { block: "thinking", isOpen: false }],
    [markers.reflectOpen, { block: "reflection", isOpen: true }],
    [markers.reflectClose, { block: "reflection", isOpen: false }],
  ];
  // the longest first: one marker may begin like another
  known.sort(([a], [b]) => b.length - a.length);
  const pieces: Piece[] = [];
  let start = 0;
  for (let at = 0; at < text.length;) {
    const hit = known.find(([string]) => text.startsWith(string, at));
    if (!hit) {
      at++;
      continue;
    }
    pieces.push({ kind: "text", text: text.slice(start, at) }, { kind: "marker", marker: hit[1] });
    at += hit[0].length;
    start = at;
  }
  pieces.push({ kind: "text", text: text.slice(start) });
  return pieces.filter((piece) => piece.kind === "marker" || piece.text.trim() !== "");
}

function add(
  found: Record<keyof ResponseParts, string[]>,
  part: keyof ResponseParts,
  text: string,
  problems: Set<ResponseProblem>,
): void {
  const later = PART_ORDER.slice(PART_ORDER.indexOf(part) + 1);
  if (later.some((name) => found[name].length > 0)) problems.add("reordered");
  found[part].push(text);
}

function closesLater(pieces: Piece[], index: number, block: BlockName): boolean {
  return pieces
    .slice(index + 1)
    .some((piece) => piece.kind === "marker" && piece.marker.block === block && !piece.marker.isOpen);
}

/** By newlines: what stood around a removed marker must not grow together into another one. */
function join(texts: string[]): string {
  return texts.map((text) => text.trim()).join("\n");
}
