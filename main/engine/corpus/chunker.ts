import { type Span, splitSentences } from "../../shared/sentences.ts";
import { middleOf } from "../embedding/index.ts";
import { createReferenceSections, isReferenceList } from "./references.ts";

/** `pageText.slice(start, end) === text`, offsets in UTF-16 units. */
export type Chunk = { page: number; start: number; end: number; text: string; nTokens: number; isReferences: boolean };

export type CountTokens = (texts: string[]) => Promise<number[]>;

type Sentence = Span & { nTokens: number; isInReferences: boolean };

/** A sentence is told twice, at the end of a chunk and at the start of the next, when it is at most this share of a chunk. */
const MAX_OVERLAP_SHARE = 0.25;

/**
 * Cuts each page into chunks of whole sentences that fit `maxTokens` of the embedder's own tokens. A chunk never
 * leaves its page, and never mixes running text with the list of references. Every sentence is in a chunk; where a
 * chunk ends inside a paragraph its last sentence also opens the next one, so that neither is read without context.
 */
export async function chunkPages(
  pages: readonly string[],
  maxTokens: number,
  countTokens: CountTokens,
): Promise<Chunk[]> {
  const perPage = await sentencesThatFit(pages, maxTokens, countTokens);
  const spans = perPage.flatMap((sentences, i) =>
    splitWhereSectionChanges(sentences).flatMap((run) =>
      packSentences(run, pages[i]!, maxTokens).map((span) => ({ ...span, page: i + 1 })),
    ),
  );
  return countAndTrim(spans, pages, maxTokens, countTokens);
}

async function sentencesThatFit(
  pages: readonly string[],
  maxTokens: number,
  countTokens: CountTokens,
): Promise<Sentence[][]> {
  const sections = createReferenceSections();
  const marked = pages.flatMap((text, pageIndex) => {
    const spans = splitSentences(text);
    const isInReferences = sections.mark(spans);
    return spans.map((span, i) => ({ ...span, pageIndex, isInReferences: isInReferences[i]! }));
  });
  const perPage: Sentence[][] = pages.map(() => []);
  let pending = marked;
  const fitting: (Sentence & { pageIndex: number })[] = [];
  while (pending.length > 0) {
    const counts = await countTokens(pending.map((span) => span.text));
    const counted = pending.map((span, i) => ({ ...span, nTokens: counts[i]! }));
    fitting.push(...counted.filter((span) => span.nTokens <= maxTokens || span.text.length < 2));
    pending = counted.filter((span) => span.nTokens > maxTokens && span.text.length >= 2).flatMap(halve);
  }
  fitting.sort((a, b) => a.pageIndex - b.pageIndex || a.start - b.start);
  for (const sentence of fitting) perPage[sentence.pageIndex]!.push(sentence);
  return perPage;
}

function halve<S extends Span>(span: S): S[] {
  const middle = middleOf(span.text);
  return [
    ...trimmed({ ...span, end: span.start + middle, text: span.text.slice(0, middle) }),
    ...trimmed({ ...span, start: span.start + middle, text: span.text.slice(middle) }),
  ];
}

function trimmed<S extends Span>(span: S): S[] {
  const text = span.text.trim();
  if (text === "") return [];
  const start = span.start + span.text.indexOf(text);
  return [{ ...span, start, end: start + text.length, text }];
}

function splitWhereSectionChanges(sentences: readonly Sentence[]): Sentence[][] {
  const runs: Sentence[][] = [];
  for (const sentence of sentences) {
    const run = runs.at(-1);
    if (run && run[0]!.isInReferences === sentence.isInReferences) run.push(sentence);
    else runs.push([sentence]);
  }
  return runs;
}

type ChunkSpan = { start: number; end: number; isInReferences: boolean };

/** Fills chunks one after another; tokens of joined sentences are at most the sum of theirs wherever white space parts them. */
function packSentences(sentences: readonly Sentence[], pageText: string, maxTokens: number): ChunkSpan[] {
  const spans: ChunkSpan[] = [];
  let from = 0;
  while (from < sentences.length) {
    let to = from;
    let nTokens = 0;
    while (to < sentences.length && (to === from || nTokens + sentences[to]!.nTokens <= maxTokens)) {
      nTokens += sentences[to]!.nTokens;
      to++;
    }
    const [first, last] = [sentences[from]!, sentences[to - 1]!];
    spans.push({ start: first.start, end: last.end, isInReferences: first.isInReferences });
    from = to < sentences.length && repeats(last, sentences[to]!, pageText, maxTokens) && to - from > 1 ? to - 1 : to;
  }
  return spans;
}

/** Useful only inside a paragraph, and only when the pair leaves room for more. */
function repeats(last: Sentence, next: Sentence, pageText: string, maxTokens: number): boolean {
  const isSameParagraph = !pageText.slice(last.end, next.start).includes("\n");
  const isShort = last.nTokens <= MAX_OVERLAP_SHARE * maxTokens;
  return isSameParagraph && isShort && !last.isInReferences && last.nTokens + next.nTokens <= maxTokens;
}

/** Counts what was really made: where a tokenizer joins over white space a chunk may be too long and is halved. */
async function countAndTrim(
  spans: readonly (ChunkSpan & { page: number })[],
  pages: readonly string[],
  maxTokens: number,
  countTokens: CountTokens,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  let pending = spans.map((span) => ({ ...span, text: pages[span.page - 1]!.slice(span.start, span.end) }));
  while (pending.length > 0) {
    const counts = await countTokens(pending.map((span) => span.text));
    const counted = pending.map((span, i) => ({ ...span, nTokens: counts[i]! }));
    for (const { isInReferences, ...span } of counted.filter(
      (span) => span.nTokens <= maxTokens || span.text.length < 2,
    )) {
      chunks.push({ ...span, isReferences: isReferenceList(span.text, isInReferences) });
    }
    pending = counted.filter((span) => span.nTokens > maxTokens && span.text.length >= 2).flatMap(halve);
  }
  return chunks.toSorted((a, b) => a.page - b.page || a.start - b.start);
}
