import type { Span } from "../../shared/sentences.ts";

const HEADING =
  /^(?:\d+\.?\s+|[IVX]+\.\s+)?(?:(?:notes and )?references?(?: and notes| cited)?|bibliography|literature(?: cited)?|works cited|reference list)\s*[.:]?$/i;
const NEXT_HEADING =
  /^(?:appendi|acknowledg|suppl(?:ementary|emental)|supporting information|author contributions?|additional (?:information|files?)|publisher.s note|competing interests|conflicts? of interest|copyright|received:)/i;

/**
 * Signs of bibliography entries per 100 words. In 13 papers of nine publishers running text stays below 22 and lists
 * without a heading lie above 29; inside a section that is headed "References" less evidence is enough.
 */
const MIN_DENSITY = 26;
const MIN_DENSITY_IN_SECTION = 5;

/** Follows the pages of a paper in order and tells where its list of references is open. */
export function createReferenceSections() {
  let isOpen = false;
  return {
    /** The sentences of one page, each with whether it stands in a section of references. */
    mark(sentences: readonly Span[]): boolean[] {
      return sentences.map(({ text }) => {
        if (HEADING.test(text)) isOpen = true;
        else if (isOpen && NEXT_HEADING.test(text)) isOpen = false;
        return isOpen;
      });
    },
  };
}

/** Whether a chunk is a part of a reference list, by where it stands and what it is made of. */
export function isReferenceList(text: string, isInSection: boolean): boolean {
  return referenceDensity(text) >= (isInSection ? MIN_DENSITY_IN_SECTION : MIN_DENSITY);
}

/** Years, initials, page ranges, identifiers and "et al." per 100 words. */
export function referenceDensity(text: string): number {
  const nWords = text.match(/\S+/g)?.length ?? 0;
  const nSigns =
    text.match(
      /\b(?:19|20)\d\d[a-z]?\b|\b\p{Lu}\.|\bet al\b|\bdoi\b|https?:|\b\d+\s?[–-]\s?\d+\b|\b(?:J|Rev|Lett|Phys|Chem|Sci|Mater|Proc)\./gu,
    )?.length ?? 0;
  return nWords === 0 ? 0 : (100 * nSigns) / nWords;
}
