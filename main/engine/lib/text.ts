/** Measures on plain English text: deterministic, without a model, cheap enough to run on every draft. */

/** Letters, digits and inner hyphens or apostrophes, lower case. */
export function words(text: string): string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+(?:[-'’][\p{L}\p{N}]+)*/gu) ?? []
  );
}

/** The stems of the words that carry meaning, in order, repeats included. */
export function contentWords(text: string): string[] {
  return words(text)
    .filter((word) => word.length > 2 && !STOP_WORDS.has(word))
    .map(stem);
}

/** A light stem, so that "improves", "improved" and "improving" count as one word. */
export function stem(word: string): string {
  if (word.length > 5 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  for (const ending of ["ing", "ed", "es", "s", "e"]) {
    const isDoubleS = ending === "s" && word.endsWith("ss");
    if (word.endsWith(ending) && !isDoubleS && word.length - ending.length >= 4) return word.slice(0, -ending.length);
  }
  return word;
}

/** Share of the different content words of `text` that `source` has too, 0..1; 0 for a text without content words. */
export function overlapShare(text: string, source: string): number {
  const own = new Set(contentWords(text));
  const known = new Set(contentWords(source));
  return own.size === 0 ? 0 : [...own].filter((word) => known.has(word)).length / own.size;
}

/** Content words that both texts have, by the number of different content words in either. */
export function jaccard(a: string, b: string): number {
  const left = new Set(contentWords(a));
  const right = new Set(contentWords(b));
  const nUnion = new Set([...left, ...right]).size;
  return nUnion === 0 ? 0 : [...left].filter((word) => right.has(word)).length / nUnion;
}

/** Share of the word n-grams that stood in the text before, 0..1. Loops come out high, prose near 0. */
export function repetitionShare(text: string, n = 4): number {
  const all = nGrams(words(text), n);
  return all.length === 0 ? 0 : 1 - new Set(all).size / all.length;
}

/** Whether one to three words follow themselves at once: "not only not only". */
export function stutters(text: string): boolean {
  return /(?<![\p{L}\p{N}-])(\p{L}+(?:\s+\p{L}+){0,2})\s+\1(?![\p{L}\p{N}-])/iu.test(text);
}

/** Number of words in the longest run that stands in both texts. */
export function longestSharedRun(a: string, b: string): number {
  const left = words(a);
  const right = words(b);
  let longest = 0;
  let previous = new Int32Array(right.length + 1);
  for (const word of left) {
    const current = new Int32Array(right.length + 1);
    for (let j = 0; j < right.length; j++) {
      if (word !== right[j]) continue;
      current[j + 1] = previous[j]! + 1;
      longest = Math.max(longest, current[j + 1]!);
    }
    previous = current;
  }
  return longest;
}

/**
 * Numbers, formulas and acronyms, lower case: whatever has a digit or two capitals ("LiFePO4", "0.5", "XRD"). A small
 * model changes these without noticing, so a rewrite may only use those of its source.
 */
export function factTokens(text: string): Set<string> {
  const tokens = text.normalize("NFKC").match(/[\p{L}\p{N}]+(?:[.,][\p{N}]+)*/gu) ?? [];
  return new Set(tokens.filter((token) => /\p{N}|\p{Lu}.*\p{Lu}/u.test(token)).map((token) => token.toLowerCase()));
}

/** The numbers, formulas and acronyms of `text` that `source` does not have. */
export function inventedFacts(text: string, source: string): string[] {
  const known = factTokens(source);
  return [...factTokens(text)].filter((token) => !known.has(token));
}

/** Whether an English sentence denies something. */
export function isNegated(text: string): boolean {
  return /\b(?:not|no|never|cannot|neither|nor|without|unable)\b|n't\b/i.test(text);
}

/** Whether the text reads as English: Latin letters, and function words among them as often as prose has them. */
export function looksEnglish(text: string): boolean {
  const letters = text.match(/\p{L}/gu) ?? [];
  const nLatin = letters.filter((letter) => /[\p{Script=Latin}\p{Script=Greek}]/u.test(letter)).length;
  if (letters.length > 0 && nLatin / letters.length < 0.9) return false;
  const all = words(text);
  if (all.length < 12) return true;
  return all.filter((word) => FUNCTION_WORDS.has(word)).length / all.length > 0.12;
}

export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** The text up to the end of its last whole sentence; empty when there is none. */
export function cutAtSentenceEnd(text: string): string {
  const match = /^[\s\S]*[.!?](?=["'”’)\]]*(?:\s|$))["'”’)\]]*/.exec(text.trim());
  return match ? match[0] : "";
}

function nGrams(list: string[], n: number): string[] {
  const grams: string[] = [];
  for (let i = 0; i + n <= list.length; i++) grams.push(list.slice(i, i + n).join(" "));
  return grams;
}

const FUNCTION_WORDS = new Set(
  "a an and are as at be but by can for from has have how in into is it its may not of on or than that the their there these they this to was were what when which while why will with".split(
    " ",
  ),
);

const STOP_WORDS = new Set([
  ...FUNCTION_WORDS,
  ..."about above after again all also although among any because been before being below between both could did do does doing done down due during each either few further had having he her here him his however i if me might more most much must my no nor now off once one only other our out over own per rather same several shall she should since so some such them then therefore those thus through too under until up upon us very via we well where whether who whom whose within without would yet you your".split(
    " ",
  ),
]);

/** The text as a regular expression that means it letter by letter. */
export function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
