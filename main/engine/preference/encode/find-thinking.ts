import { escapeRegExp } from "../../lib/text.ts";
import { DEFAULT_MARKERS, type MarkerPair, type MarkerSet, OWN_THINKING } from "../../../shared/markers.ts";

/** A stretch of a response, in characters of its text or in its tokens; `end` is behind the last one. */
export type Span = { start: number; end: number };

/** What of a response is thinking. */
export type ThinkingPlaces = {
  /** Inside each block of thinking, without its outer markers and the white space beside them. */
  thinking: Span[];
  /** First of the final answer, behind the last block and the white space after it; 0 where there is no block. */
  answerStart: number;
  /** A block that was opened ends before the response does. */
  isClosed: boolean;
};

type Marker = MarkerPair & { isReflection: boolean };

/**
 * Every block of thinking or reflection counts: of the pair's own markers, of the default ones, and of the kinds that
 * reasoning models write by themselves. Blocks may lie in one another; the outermost is one block. A closing marker
 * alone ends a block that began with the text or behind the block before, as when the template opened it.
 */
export function findThinking(text: string, markers: MarkerSet): ThinkingPlaces {
  const places: ThinkingPlaces = { thinking: [], answerStart: 0, isClosed: true };
  const open: Marker[] = [];
  let start = 0;
  for (const { marker, isOpen, from, to } of markersOf(text, markers)) {
    if (isOpen) {
      if (open.length === 0) start = skipSpace(text, to);
      open.push(marker);
      continue;
    }
    const at = open.lastIndexOf(marker);
    if (at < 0 && open.length > 0) continue;
    const outermost = open[0] ?? marker;
    if (at < 0) start = skipSpace(text, places.answerStart);
    open.splice(Math.max(0, at));
    if (open.length > 0) continue;
    if (!outermost.isReflection) places.thinking.push({ start, end: Math.max(start, endOfText(text, from)) });
    places.answerStart = skipSpace(text, to);
  }
  places.isClosed = open.length === 0;
  return places;
}

function markersOf(text: string, markers: MarkerSet) {
  const kinds = kindsOf(markers);
  const byText = new Map<string, { marker: Marker; isOpen: boolean }>();
  for (const marker of kinds) {
    byText.set(marker.open, { marker, isOpen: true });
    byText.set(marker.close, { marker, isOpen: false });
  }
  // the longest first: one marker may begin like another
  const texts = [...byText.keys()].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(texts.map(escapeRegExp).join("|"), "g");
  return [...text.matchAll(pattern)].map((match) => ({
    ...byText.get(match[0])!, // the pattern is made of these
    from: match.index,
    to: match.index + match[0].length,
  }));
}

/** Each opening marker once: a recipe may well name a model's own markers as its set. */
function kindsOf(markers: MarkerSet): Marker[] {
  const sets = [markers, DEFAULT_MARKERS].flatMap((set): Marker[] => [
    { open: set.thinkingOpen, close: set.thinkingClose, isReflection: false },
    { open: set.reflectOpen, close: set.reflectClose, isReflection: true },
  ]);
  const all = [...sets, ...OWN_THINKING.map((kind) => ({ ...kind, isReflection: false }))];
  return all.filter(({ open }, i) => all.findIndex((other) => other.open === open) === i);
}

function skipSpace(text: string, from: number): number {
  return from + (text.slice(from).length - text.slice(from).trimStart().length);
}

function endOfText(text: string, to: number): number {
  return text.slice(0, to).trimEnd().length;
}
