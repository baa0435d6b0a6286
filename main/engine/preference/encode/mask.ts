import type { MarkerSet } from "../../../shared/markers.ts";
import { createRandom } from "../../lib/random.ts";
import type { Mask } from "../../recipe/index.ts";

/** Where the thinking of a response stands, in characters of its text or in its tokens; `end` is behind the last one. */
export type ThinkingSpan = {
  /** First of the thinking itself, behind the opening marker and the white space after it. */
  start: number;
  /** Behind the last of the thinking itself, before the white space in front of the closing marker. */
  end: number;
  /** First of what follows the closing marker and the white space after it. */
  answerStart: number;
};

/** The span in the text; null where the response has no closed thinking, and therefore counts whole as answer. */
export function findThinking(text: string, markers: MarkerSet): ThinkingSpan | null {
  const open = text.indexOf(markers.thinkingOpen);
  const close = open < 0 ? -1 : text.indexOf(markers.thinkingClose, open + markers.thinkingOpen.length);
  if (close < 0) return null;
  const start = skipSpace(text, open + markers.thinkingOpen.length);
  const end = start + text.slice(start, close).trimEnd().length;
  return { start, end, answerStart: skipSpace(text, close + markers.thinkingClose.length) };
}

function skipSpace(text: string, from: number): number {
  return from + (text.slice(from).length - text.slice(from).trimStart().length);
}

/**
 * The same place counted in tokens: `prefixIds` are the tokens of the text up to it. A token that lies across the place
 * stands behind it: it carries loss after a closing marker, and a mask never takes a token of the answer away.
 */
export function tokenPosition(ids: readonly number[], prefixIds: readonly number[]): number {
  let n = 0;
  while (n < ids.length && n < prefixIds.length && ids[n] === prefixIds[n]) n++;
  return n;
}

/**
 * Which response tokens carry loss: 1 yes, 0 no. `span` counts in tokens. The fraction's tokens are drawn with the
 * seed, so that the same mask can be made and shown again.
 */
export function responseMask(nTokens: number, mask: Mask, span: ThinkingSpan | null, seed: number): (0 | 1)[] {
  const carries = Array.from({ length: nTokens }, (): 0 | 1 => 1);
  if (mask === "none" || span === null) return carries;
  if (mask === "answer_only") return carries.fill(0, 0, Math.min(span.answerStart, nTokens));
  const positions = drawPositions(span.start, Math.min(span.end, nTokens), mask.thinking_fraction, seed);
  for (const position of positions) carries[position] = 0;
  return carries;
}

/** round(fraction × n) different positions of [from, to), by partial Fisher–Yates. */
function drawPositions(from: number, to: number, fraction: number, seed: number): number[] {
  const positions = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  const nDrawn = Math.round(fraction * positions.length);
  const random = createRandom(seed, "thinking mask");
  for (let i = 0; i < nDrawn; i++) {
    const j = i + Math.floor(random() * (positions.length - i));
    [positions[i], positions[j]] = [positions[j]!, positions[i]!];
  }
  return positions.slice(0, nDrawn);
}
