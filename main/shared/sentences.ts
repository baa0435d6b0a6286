export type Span = { start: number; end: number; text: string };

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Words before a full stop that does not end a sentence, as they appear in papers. */
const ABBREVIATION =
  /(?:^|[\s([])(?:et al|e\.g|i\.e|cf|vs|ca|approx|resp|Figs?|Eqs?|Refs?|Tabs?|Secs?|Nos?|Vols?|pp|Dr|Prof|Mr|Mrs|St|Inc|Ltd|Co|sp|spp|var|[A-Z])\.\s*$/;

/**
 * Sentences in the order of the text, with UTF-16 offsets; surrounding white space is left out.
 * Unicode's own rules, mended where scientific prose abbreviates ("Smith et al. 2021", "Fig. 3", "J. Smith").
 */
export function splitSentences(text: string): Span[] {
  const spans: Span[] = [];
  let start = 0;
  let end = 0;
  for (const { segment, index } of segmenter.segment(text)) {
    end = index + segment.length;
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

function pushTrimmed(spans: Span[], text: string, start: number, end: number): void {
  const raw = text.slice(start, end);
  const trimmed = raw.trim();
  if (trimmed.length === 0) return;
  const from = start + raw.indexOf(trimmed);
  spans.push({ start: from, end: from + trimmed.length, text: trimmed });
}
