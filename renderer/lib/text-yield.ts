import { plural } from "./format.ts";

/** How much of a document can be read, in words; `isPartial` asks for attention. */
export function textYield(nPages: number, nPagesWithText: number): { text: string; isPartial: boolean } {
  const nWithout = nPages - nPagesWithText;
  if (nPages === 0) return { text: "–", isPartial: false };
  if (nWithout === 0) return { text: nPages === 1 ? "the page has text" : "all pages have text", isPartial: false };
  if (nPagesWithText === 0)
    return { text: nPages === 1 ? "the page has no text" : "no page has text", isPartial: true };
  return {
    text: `${nWithout} of ${plural(nPages, "page")} ${nWithout === 1 ? "has" : "have"} no text`,
    isPartial: true,
  };
}
