import type { StatementSpan } from "../../../shared/contract/preference.ts";
import type { DocumentId } from "../../../shared/ids.ts";
import type { ChunkRow } from "../../../shared/contract/corpus.ts";
import type { PairCorpus } from "./corpus-access.ts";

/**
 * [Note: true sources] A text that a teacher is shown, and where each stretch of it stands in the papers. What a writer
 * picks from it, or a model writes after it, leads back through `spansIn` to words on a page.
 */
export type Passage = { text: string; pieces: Piece[] };

/** `text.slice(from, to)` says what the span says: word for word, or cleaned, and then only as a whole. */
export type Piece = { from: number; to: number; span: StatementSpan; isVerbatim: boolean };

/** A chunk with its neighbours as they stand on their pages. */
export function widenedPassage({ documentId, text, spans }: ReturnType<PairCorpus["widenChunk"]>): Passage {
  return { text, pieces: spans.map(({ at, ...span }) => pieceOf(text, at, { documentId, ...span })) };
}

export function chunkPassage({ id, documentId, page, start, end, text }: ChunkRow): Passage {
  return { text, pieces: [pieceOf(text, 0, { chunkId: id, documentId, page, start, end })] };
}

function pieceOf(text: string, from: number, place: Omit<StatementSpan, "quote"> & { documentId: DocumentId }): Piece {
  const to = from + place.end - place.start;
  return { from, to, span: { ...place, quote: text.slice(from, to) }, isVerbatim: true };
}

/** Where a stretch of the passage stands: one span, or more where it runs over pieces that do not follow each other on a page. */
export function spansIn(passage: Passage, from: number, to: number): StatementSpan[] {
  const cuts: Piece[] = [];
  for (const piece of passage.pieces) {
    if (piece.to <= from || piece.from >= to) continue;
    const cut = piece.isVerbatim ? cutOf(passage.text, piece, from, to) : piece;
    const last = cuts.at(-1);
    if (last && goesOn(last, cut)) cuts[cuts.length - 1] = joined(passage.text, last, cut);
    else cuts.push(cut);
  }
  return cuts.map(({ span }) => span);
}

function cutOf(text: string, piece: Piece, from: number, to: number): Piece {
  const [a, b] = [Math.max(from, piece.from), Math.min(to, piece.to)];
  const start = piece.span.start + a - piece.from;
  return { ...piece, from: a, to: b, span: { ...piece.span, start, end: start + b - a, quote: text.slice(a, b) } };
}

/** Two chunks of a page, with what stands between them in the passage as on the page. */
function goesOn(last: Piece, next: Piece): boolean {
  const [a, b] = [last.span, next.span];
  const isSamePage = a.documentId === b.documentId && a.page === b.page;
  return last.isVerbatim && next.isVerbatim && isSamePage && b.start - a.end === next.from - last.to;
}

function joined(text: string, a: Piece, b: Piece): Piece {
  return { ...a, to: b.to, span: { ...a.span, end: b.span.end, quote: text.slice(a.from, b.to) } };
}
