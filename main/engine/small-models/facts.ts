import { splitSentences } from "../../shared/sentences.ts";
import { inventedFacts, looksEnglish, oneLine, overlapShare, words } from "../lib/text.ts";
import type { Asker, Similarity, Situation } from "../reflection/index.ts";

const MIN_WORDS = 6;
const MAX_WORDS = 40;
/** A fact this near to a statement, or with so many of its words in the thinking, is in there already. */
const KNOWN_COSINE = 0.8;
const KNOWN_OVERLAP = 0.75;
/** A fact further from the question than this is about something else. */
const MIN_RELEVANCE = 0.45;

/**
 * Sentences that bear on the question and that the thinking has not used, the nearest to the question first: from the
 * corpus when the reflection retrieves, else from what the critic itself knows.
 */
export async function unusedFacts(
  ask: Asker,
  situation: Situation,
  thinking: string,
  similarity: Similarity,
  count: number,
): Promise<string[]> {
  const { question } = situation.plan;
  const pool = situation.plan.retrieve ? sentencesOfSources(situation) : await sentencesOfCritic(ask, situation);
  const used = [
    ...statementsOf(thinking),
    ...situation.earlier.flatMap(({ critique }) => critique.map(({ point }) => point)),
  ];
  const candidates = [...new Set(pool)].filter(
    (fact) => isFact(fact) && overlapShare(fact, used.join(" ")) < KNOWN_OVERLAP,
  );
  const cosine = await similarity([question, ...used, ...candidates]);
  const relevance = (fact: string) => cosine(fact, question) ?? overlapShare(question, fact);
  const isKnown = (fact: string, to: string[]) =>
    to.some((text) => (cosine(fact, text) ?? overlapShare(fact, text)) >= KNOWN_COSINE);
  const facts: string[] = [];
  for (const fact of candidates.toSorted((a, b) => relevance(b) - relevance(a))) {
    if (facts.length === count || relevance(fact) < MIN_RELEVANCE) break;
    if (!isKnown(fact, used) && !isKnown(fact, facts)) facts.push(fact);
  }
  return facts;
}

/** Whether a rewrite says what its source says, in the source's own words and numbers. */
export function faithfulnessProblem(text: string, source: string): string | null {
  const nWords = words(text).length;
  if (nWords < 4) return "too short";
  if (nWords > MAX_WORDS) return "too long";
  if (!looksEnglish(text)) return "not English prose";
  if (SPEAKS_OF_TEXT.test(text)) return "speaks of the text";
  const invented = inventedFacts(text, source);
  if (invented.length > 0) return `has ${invented.join(", ")}, which the source has not`;
  const name = namesIn(text).find((word) => !source.includes(word));
  if (name !== undefined) return `names ${name}, which the source does not`;
  return overlapShare(text, source) < 0.6 ? "strays from its source" : null;
}

/** Words with a capital inside of a sentence. */
function namesIn(sentence: string): string[] {
  return sentence.match(/(?<=[\p{L}\d,;)] )\p{Lu}[\p{L}\p{N}]+/gu) ?? [];
}

export function statementsOf(thinking: string): string[] {
  return splitSentences(thinking).map(({ text }) => text.replace(/^[-*•]\s*/, ""));
}

function sentencesOfSources({ sources }: Situation): string[] {
  return sources.flatMap(({ text }) => splitSentences(text).map((span) => cleanSentence(span.text)));
}

async function sentencesOfCritic(ask: Asker, { plan }: Situation): Promise<string[]> {
  const values = { ...plan.markers, question: plan.question };
  const text = await ask.askFor("critic", "critique-knowledge", values, (text) =>
    text === "" ? { problem: "empty" } : { value: text },
  );
  return splitSentences(text ?? "").map((span) => cleanSentence(span.text));
}

/** Without citations and pointers to figures, which mean nothing outside of the paper. */
function cleanSentence(sentence: string): string {
  return oneLine(sentence)
    .replaceAll(/\s?\[\d[\d\s,–-]*\]/g, "")
    .replaceAll(/\s?\([^()]*\b(?:et al\.?|(?:19|20)\d\d[a-z]?|Figs?\.?|Figures?|Tables?|Eqs?\.?)[^()]*\)/g, "")
    .replace(
      /^(?:Furthermore|Moreover|In addition|Additionally|Meanwhile|However|Therefore|Thus|Hence|Besides|Notably|Interestingly|Finally|Similarly|Consequently),?\s+/,
      "",
    )
    .replace(/^\p{Ll}/u, (letter) => letter.toUpperCase());
}

/** A whole sentence about the matter: no caption, no talk about the paper, no half sentence at a chunk's edge. */
function isFact(sentence: string): boolean {
  const nWords = words(sentence).length;
  if (nWords < MIN_WORDS || nWords > MAX_WORDS) return false;
  if (!/^["“(]?\p{Lu}/u.test(sentence) || !/[.!]["”)]?$/.test(sentence)) return false;
  const nOdd = sentence.replaceAll(/[\p{L}\s.,;:()'’-]/gu, "").length;
  if (!FINITE_VERB.test(sentence) || RUNNING_HEAD.test(sentence)) return false;
  return nOdd / sentence.length < 0.12 && !SPEAKS_OF_TEXT.test(sentence) && looksEnglish(sentence);
}

/** Titles in lists of references have none. */
const FINITE_VERB =
  /\b(?:is|are|was|were|has|have|had|can|could|may|might|will|must|does|do|\p{L}+(?:ates?|izes?|ises?|ects|ains|eads|ows|akes|gives|ides|uces|ases|eases|ables|elps|acts|erves|ents|ields|eacts|occurs?|exhibits?|remains?|depends?|forms|becomes?))\b/u;

/** "Materials 2014, 7, 2643 According to …", "Keywords: …" */
const RUNNING_HEAD = /^Key ?words\b|\bINTRODUCTION\b|^\p{L}[\p{L}. ]* (?:19|20)\d\d,/u;

const SPEAKS_OF_TEXT =
  /\b(?:we|our|us|herein|et al|Figs?|Figures?|Tables?|Eqs?|Section|Appendix|Supplementary|doi|https?|www|copyright|licen[cs]e|published|funding|received|accepted)\b|\b(?:this|these|the|that|present|current) (?:study|studies|paper|work|article|section|review|text|passage|thinking|question|fact|authors?|sentence)\b|[|©@=]/i;
