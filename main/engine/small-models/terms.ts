import { contentWords, stem, words } from "../lib/text.ts";
import { VERBS } from "./verbs.ts";

const MAX_WORDS = 3;
const VERB = new RegExp(`^(?:${VERBS})$`, "i");

/**
 * The terms that a text is about: runs of up to three content words that stand in it, ranked by how often their words
 * come up in text and question. No model: a very small one lists words that are not there.
 */
export function keyTerms(text: string, question: string, limit: number): string[] {
  const weights = wordWeights(`${text} ${question} ${question}`);
  const scored = new Map<string, number>();
  for (const phrase of phrases(text)) {
    const weight = phrase.split(" ").reduce((sum, word) => sum + (weights.get(stem(word.toLowerCase())) ?? 0), 0);
    scored.set(phrase, weight);
  }
  const chosen: string[] = [];
  for (const [phrase] of [...scored].toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))) {
    if (chosen.length === limit) break;
    if (!chosen.some((other) => sharesWords(other, phrase))) chosen.push(phrase);
  }
  return chosen;
}

function wordWeights(text: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const word of contentWords(text)) weights.set(word, (weights.get(word) ?? 0) + 1);
  return weights;
}

/** Runs of words between stop words, verbs and punctuation, as written; an ordinary word loses its capital. */
function phrases(text: string): string[] {
  const found: string[] = [];
  for (const clause of text.normalize("NFKC").split(/[.,;:!?()[\]"“”]+(?=\s|$)|[()[\]]/)) {
    let run: string[] = [];
    for (const token of [...clause.split(/\s+/), ""]) {
      if (token && isTermWord(token)) run.push(lowerOrdinary(token));
      else {
        const tail = run.slice(-MAX_WORDS);
        if (tail.length > 1 || /\p{Lu}.*[\p{Lu}\p{N}]|^\p{L}{6,}$/u.test(tail[0] ?? "")) found.push(tail.join(" "));
        run = [];
      }
    }
  }
  return found;
}

function isTermWord(token: string): boolean {
  if (!/^\p{L}/u.test(token) || contentWords(token).length === 0) return false;
  return !/(?:ly|ed)$/i.test(token) && !VERB.test(token) && !NOT_IN_TERMS.has(words(token)[0] ?? "");
}

function lowerOrdinary(token: string): string {
  return /^\p{Lu}\p{Ll}+$/u.test(token) ? token.toLowerCase() : token;
}

function sharesWords(a: string, b: string): boolean {
  const left = contentWords(a);
  return contentWords(b).some((word) => left.includes(word));
}

const NOT_IN_TERMS = new Set(
  "good better best excellent outstanding high higher highest low lower lowest large larger small smaller many few new great important significant different various certain similar main possible able superior corresponding final total overall first second third using being containing exhibiting showing including starting resulting leading part parts due least less long short far according fact facts thing things way ways kind kinds number amount key attribute use together future earlier recent experiment experiments study studies".split(
    " ",
  ),
);
