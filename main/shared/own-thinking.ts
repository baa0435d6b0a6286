import { type MarkerSet, OWN_THINKING } from "./markers.ts";

/** A text without what a model thought by itself; `isUnclosed`: it never came to the end of its thinking. */
export type Spoken = { text: string; nBlocks: number; isUnclosed: boolean };

/**
 * A reasoning model's own thinking is not its answer: blocks of every known kind are taken out, except of the kind that
 * the given set uses for thinking that was asked for. A closing marker alone ends a block that the template opened.
 */
export function withoutOwnThinking(text: string, markers: MarkerSet): Spoken {
  let spoken: Spoken = { text, nBlocks: 0, isUnclosed: false };
  for (const { open, close } of OWN_THINKING) {
    if (open !== markers.thinkingOpen) spoken = withoutBlocks(spoken, open, close);
  }
  return spoken.nBlocks === 0 && !spoken.isUnclosed ? { ...spoken, text } : { ...spoken, text: spoken.text.trim() };
}

function withoutBlocks(spoken: Spoken, open: string, close: string): Spoken {
  let { text, nBlocks, isUnclosed } = spoken;
  for (;;) {
    const end = text.indexOf(close);
    const start = text.indexOf(open);
    if (start < 0 && end < 0) return { text, nBlocks, isUnclosed };
    // an opening marker behind the first closing one belongs to the next block
    const from = start >= 0 && (end < 0 || start < end) ? start : 0;
    if (end < 0) {
      isUnclosed = true;
      text = text.slice(0, from);
    } else {
      nBlocks++;
      text = `${text.slice(0, from)}${text.slice(end + close.length)}`;
    }
  }
}
