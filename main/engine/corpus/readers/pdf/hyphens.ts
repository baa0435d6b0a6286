import { LINE_END_HYPHEN } from "./characters.ts";

/** What a hyphen at the end of a line becomes: nothing ("con-structed"), itself ("redox-active"), or "- " ("pre- and …"). */
export type HyphenChoice = "" | "-" | "- ";

/** The words of a paper that are not broken over lines: they tell how the broken ones are written. */
export type Vocabulary = {
  words: Set<string>;
  compounds: Set<string>;
  firstParts: Set<string>;
  lastParts: Set<string>;
};

const WORD = /[\p{L}\p{N}]+(?:[-‐][\p{L}\p{N}]+)*/gu;

export function createVocabulary(): Vocabulary {
  return { words: new Set(), compounds: new Set(), firstParts: new Set(), lastParts: new Set() };
}

/** Takes in a page's text, in which LINE_END_HYPHEN stands where a word is broken; broken words are left out. */
export function addWords(vocabulary: Vocabulary, text: string): void {
  for (const match of text.matchAll(WORD)) {
    const isBroken =
      text[match.index - 1] === LINE_END_HYPHEN || text[match.index + match[0].length] === LINE_END_HYPHEN;
    if (isBroken) continue;
    const parts = match[0].toLowerCase().split(/[-‐]/);
    for (const part of parts) vocabulary.words.add(part);
    if (parts.length === 1) continue;
    vocabulary.compounds.add(parts.join("-"));
    vocabulary.firstParts.add(parts[0]!);
    vocabulary.lastParts.add(parts.at(-1)!);
  }
}

/** Decides from the paper's own words. Without a sign for a compound the hyphen goes: most are the typesetter's. */
export function chooseHyphen(vocabulary: Vocabulary, before: string, after: string): HyphenChoice {
  if (after === "") return "-";
  const first = before
    .split(/[-‐]/)
    .at(-1)!
    .toLowerCase();
  const second = after.split(/[-‐]/)[0]!.toLowerCase();
  if (vocabulary.words.has(first + second)) return "";
  if (/^(?:and|or|to)$/.test(after)) return "- ";
  if (/[\p{N}\p{Lu}]$/u.test(before) || /^[\p{N}\p{Lu}]/u.test(after)) return "-";
  if (vocabulary.compounds.has(`${first}-${second}`)) return "-";
  const bothAreWords = vocabulary.words.has(first) && vocabulary.words.has(second);
  return bothAreWords && (vocabulary.firstParts.has(first) || vocabulary.lastParts.has(second)) ? "-" : "";
}
