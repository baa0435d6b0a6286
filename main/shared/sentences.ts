export type Span = { start: number; end: number; text: string };

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Words before a full stop that does not end a sentence, as they appear in papers. */
const ABBREVIATION =
  /(?:^|[\s([])(?:et al|e\.g|i\.e|cf|vs|ca|approx|resp|Figs?|Eqs?|Refs?|Tabs?|Secs?|Nos?|Vols?|pp|Dr|Prof|Mr|Mrs|St|Inc|Ltd|Co|sp|spp|var|[A-Z])\.\s*$/;

/** A full stop, the numbers of superscript citations that stick to it, and the next sentence: "long life.1–4 To date". */
const AFTER_CITATION = /[\p{Ll})\]]{2}[.!?]["”’]?\d{1,3}(?:[,–-]\d{1,3})* +(?=\p{Lu})/gu;

/**
 * Sentences in the order of the text, with UTF-16 offsets; surrounding white space is left out.
 * Unicode's own rules, mended where scientific prose abbreviates ("Smith et al. 2021", "Fig. 3", "J. Smith").
 */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  let end = 0;
  for (const segmentEnd of segmentEnds(text)) {
    end = segmentEnd.end;
    if (segmentEnd.isCitation) {
      pushTrimmed(spans, text, start, end);
      start = end;
      continue;
    }
    const soFar = text.slice(start, end);
    const next = text[end];
    const isParagraphEnd = /\n\s*$/.test(soFar);
    const hasTerminator = /[.!?…]["'”’)\]]*\s*$/.test(soFar);
    if (next !== undefined && !isParagraphEnd && (!hasTerminator || ABBREVIATION.test(soFar))) continue;
    pushTrimmed(spans, text, start, end);
    start = end;
  }
  if (start < text.length) pushTrimmed(spans, text, start, text.length);
  return spans;
}

type SegmentEnd = { end: number; isCitation: boolean };

/** Where Unicode's rules end a sentence, and where a citation number hides such an end from them. */
function* segmentEnds(text: string): Generator<SegmentEnd> {
  for (const { segment, index } of segmenter.segment(text)) {
    for (const match of segment.matchAll(AFTER_CITATION)) {
      const upToStop = segment.slice(0, match.index + match[0].search(/[.!?]/) + 1);
      if (!ABBREVIATION.test(upToStop)) yield { end: index + match.index + match[0].length, isCitation: true };
    }
    yield { end: index + segment.length, isCitation: false };
  }
}

function pushTrimmed(spans: Span[], text: string, start: number, end: number): void {
  const raw = text.slice(start, end);
  const trimmed = raw.trim();
  if (trimmed.length === 0) return;
  const from = start + raw.indexOf(trimmed);
  spans.push({ start: from, end: from + trimmed.length, text: trimmed });
}
