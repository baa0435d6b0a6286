import { words } from "../lib/text.ts";
import { VERBS } from "./verbs.ts";
import { type Span, splitSentences } from "../../shared/sentences.ts";

const MIN_WORDS = 8;
const MAX_WORDS = 45;

/**
 * The sentences of a passage that say something on their own, with citations and pointers to figures taken out.
 * Captions, headers, half sentences at a chunk's edge and talk about the paper itself stay behind: a small model copies
 * whatever it is shown. The offsets are those of the sentence as it stood before.
 */
export function usableSentences(text: string): Span[] {
  const cleaned = splitSentences(text).map((span) => ({ ...span, text: cleanSentence(span.text) }));
  return firstOfEach(cleaned).filter((sentence) => isUsable(sentence.text));
}

/** Without sentences that say word for word what one before said. */
export function firstOfEach<T extends { text: string }>(sentences: readonly T[]): T[] {
  const seen = new Set<string>();
  return sentences.filter(({ text }) => !seen.has(text) && seen.add(text));
}

/** One sentence without citations, pointers and the words that announce a finding. */
export function cleanSentence(sentence: string): string {
  const cleaned = sentence
    .replaceAll(/\s+/g, " ")
    .replaceAll(/(?<=\p{Ll}{3})\d+(?:[,–]\d+)+(?=[\s.,;])/gu, "")
    .replaceAll(/\s?\[\d[\d\s,–-]*\]/g, "")
    .replaceAll(
      /\s?\((?:see |cf\. )?(?:Supplementary |Additional )?(?:Figs?\.?|Figures?|Tables?|Eqs?\.?|Equations?|Scheme|Section|file)[^()]*\)/gi,
      "",
    )
    .replaceAll(/\s?\([^()]*\b(?:et al\.?|(?:19|20)\d\d[a-z]?)[^()]*\)/g, "")
    .replace(/^(?:\d[\d.]*\s+)?(?:\p{Lu}{4,}\s+(?:AND\s+)?)+(?=\p{Lu}\p{Ll}|\p{Lu}\s)/u, "")
    .replace(ANNOUNCEMENT, "")
    .replaceAll(/\s+([,.;:])/g, "$1")
    .trim();
  // what began in the middle of a sentence stays visible as such
  return /^\p{Ll}/u.test(sentence) ? cleaned : cleaned.charAt(0).toUpperCase() + cleaned.slice(1);
}

/** Whether a sentence states a fact that can be understood without the one before it. */
export function isFact(sentence: string): boolean {
  return isSelfContained(sentence) && (!PROCEDURE.test(sentence) || explains(sentence));
}

/** "The lysate was spread onto plates": what was done, not what is so. */
const PROCEDURE =
  /\b(?:was|were) (?:then |also |subsequently |further )?(?:performed|conducted|carried|purchased|prepared|used|measured|collected|calculated|determined|added|washed|incubated|stained|recorded|spread|dried|mixed|stirred|placed|transferred|analy[sz]ed|counted|imaged|plotted|chosen|fabricated|characteri[sz]ed|evaluated|examined|investigated|tested|isolated|extracted|normali[sz]ed|synthesi[sz]ed|heated|cooled|cut|polished|ground|filtered)\b/i;

function isSelfContained(sentence: string): boolean {
  return !/^(?:It|They|He|She|This|These|That|Those|Such|Both|Each|Here|There|Its|Their|The (?:former|latter|same|above|other))\b/.test(
    sentence,
  );
}

/** Whether a sentence names a cause, an effect or a purpose: what a question about mechanism needs. */
export function explains(sentence: string): boolean {
  return EXPLAINS.test(sentence);
}

const EXPLAINS =
  /\b(?:because|due to|owing to|thus|thereby|hence|therefore|so that|in order to|leads? to|led to|leading to|results? in|resulted in|resulting|caus(?:es?|ed|ing)|improv\w+|enhanc\w+|increas\w+|decreas\w+|reduc(?:es?|ed|ing)|facilitat\w+|accelerat\w+|promot\w+|prevent\w*|inhibit\w*|allows?|enables?|contribut\w+|attributed|ascribed|responsible|depends? on|affects?|influenc\w+|regulat\w+|requires?|shorten\w*|restrict\w*)\b/i;

function isUsable(sentence: string): boolean {
  const nWords = words(sentence).length;
  if (nWords < MIN_WORDS || nWords > MAX_WORDS) return false;
  if (!/^["'“(]?\p{Lu}/u.test(sentence) || !/[.!?]["'”’)]?$/.test(sentence)) return false;
  if (UNUSABLE.test(sentence) || !FINITE_VERB.test(sentence)) return false;
  if (sentence.split("(").length !== sentence.split(")").length) return false;
  const nSymbols = sentence.replaceAll(/[\p{L}\s.,;:()'’-]/gu, "").length;
  return nSymbols / sentence.length < 0.15;
}

/** "Figure 4 clearly shows that", "As shown in Figure 2,", "It can be seen that", "Furthermore," … */
const ANNOUNCEMENT =
  /^(?:(?:Furthermore|Moreover|In addition|Additionally|Meanwhile|However|Therefore|Thus|Hence|Besides|Interestingly|Notably|Finally|Firstly|Secondly|Similarly|Consequently|As a result),?\s+)*(?:(?:As (?:is |can be )?(?:shown|seen|illustrated|depicted|presented) (?:in|from) (?:Figs?\.?|Figures?|Tables?)\s[\dA-Za-z, –-]*?,\s)|(?:(?:Figs?\.?|Figures?|Tables?)\s[\dA-Za-z, –-]{1,12}\s(?:also |clearly )?(?:shows?|reveals?|indicates?|demonstrates?|confirms?)\sthat\s)|(?:(?:It|As) (?:can|could|has|is|was)(?: also)?(?: be| been)?(?: clearly)? (?:seen|observed|found|noted|known|shown|concluded|well known)(?: clearly)?,?(?: from [^,]*)? that\s)|(?:(?:We|These results?|The results?|The above results?|Our results?|All of the results)(?: also| clearly)? (?:found|observed|show|showed|demonstrate|demonstrated|indicate|indicated|suggest|reveal|revealed|concluded?) that\s))?/;

const UNUSABLE =
  /\b(?:we|our|us|ours|herein|et al|Figs?|Figures?|Tables?|Eqs?|Section|Appendix|Supplementary|doi|https?|www|copyright|licensee?|corresponding author|e-?mail|published|manuscript|keywords?|funding|acknowledge\w*|equations?|(?:previous|recent|earlier|future) (?:works?|study|studies|experiments)|received|accepted|\d+ of \d+)\b|\b(?:this|the present|the current) (?:study|paper|work|article|section|review|chapter|manuscript)\b|[|©@=\uFFFD]|\(\s*[,;]?\s*\)|\b(?:as follows|the following|error bars|(?:dotted|dashed) lines?|significance determined|data points?|replicates)\b/i;

/** Captions and headings have none of these. */
const FINITE_VERB = new RegExp(
  `\\b(?:is|are|was|were|has|have|had|can|could|may|might|must|will|would|should|do|does|did|${VERBS})\\b`,
  "i",
);
