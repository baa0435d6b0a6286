import type { ConceptType } from "../../../shared/contract/graph.ts";
import { conceptType, isListedHead } from "./concept-type.ts";
import { isAcronym, isFormula, keyOf, labelOf, SPECIES } from "./labels.ts";
import { relationVerb } from "./relation-verbs.ts";
import { DETERMINERS, EMPTY_HEADS, LOOSE_MODIFIERS, OTHER_VERBS, PREPOSITIONS, SIGNS, TOO_GENERAL } from "./words.ts";

export type Token = {
  text: string;
  lower: string;
  start: number;
  end: number;
  /** Punctuation stands before it. */ isAfterBreak: boolean;
};
/** A noun phrase that names a concept; `from` and `to` are token indices, `to` not included. */
export type Term = Named & {
  from: number;
  to: number;
  /** Said to be less, more or otherwise than usual. */
  hasSign: boolean;
};
export type Named = { key: string; label: string; type: ConceptType };

/** A longer run is a description, not a name. */
const MAX_WORDS = 4;

export function tokenize(sentence: string): Token[] {
  const text = joinSpecies(sentence);
  const tokens: Token[] = [];
  let end = 0;
  for (const match of text.matchAll(
    /[\p{L}\p{N}](?:[\p{L}\p{N}_'’″′”+/–-]|\.(?=[\p{L}\p{N}_])|[([](?=[\p{L}\p{N}]+[)\]])|(?<=[([][\p{L}\p{N}]+)[)\]])*/gu,
  )) {
    const word = balanced(match[0]).replaceAll("_", " ");
    const between = text.slice(end, match.index);
    const start = match.index;
    end = start + word.length;
    tokens.push({
      text: word,
      lower: word.toLowerCase(),
      start,
      end,
      isAfterBreak: /[,;:()[\]"“”—]|\.\s/.test(between),
    });
  }
  return tokens;
}

/**
 * The concepts that a sentence names: runs of words between verbs, function words and punctuation, kept when a closed
 * list, the form of the word or `known` (names taken from a list of concepts) says that they are one. Without a tagger
 * much is left out on purpose: what stays should be right.
 */
export function findTerms(tokens: readonly Token[], known: ReadonlySet<string> = new Set()): Term[] {
  const terms: Term[] = [];
  let from = 0;
  for (let at = 0; at <= tokens.length; at++) {
    const token = tokens[at];
    const isInside = token !== undefined && isTermWord(tokens, at, at > from);
    if (isInside && !token.isAfterBreak) continue;
    addRun(terms, tokens, from, at, known);
    from = isInside ? at : at + 1;
  }
  return terms;
}

/** What an entry of a list of concepts ("rate capability") names: there a phrase of several words needs no known head. */
export function termOfEntry(entry: string): Named | null {
  const tokens = tokenize(entry);
  let to = tokens.length;
  // "cooling curves starting": a verb that slipped in
  while (to > 0 && !isTermWord(tokens, to - 1, to > 1)) to--;
  let from = to;
  while (from > 0 && isTermWord(tokens, from - 1, from > 1)) from--;
  while (from < to && isLoose(tokens, from)) from++;
  if (from >= to || to - from > MAX_WORDS) return null;
  const named = nameOf(tokens, from, to, true);
  const [beforeHead, head] = [tokens[to - 2]?.lower ?? "", tokens[to - 1]!.lower];
  // "curves starting" breaks off a clause, "isothermal holding" is a name
  const isBrokenOff = head.endsWith("ing") && beforeHead.endsWith("s");
  const isPhrase = to - from > 1 && !EMPTY_HEADS.has(head) && !isBrokenOff;
  return isConcept(named, new Set()) || (isPhrase && !TOO_GENERAL.has(named.key)) ? named : null;
}

/** The concept in front of a term's head, if it is one: "graphene" in "ultrathin graphene sheet". */
export function modifierOf(tokens: readonly Token[], term: Term): Term | null {
  const to = term.to - 1;
  const last = tokens[to - 1];
  if (!last || to <= term.from || TOO_GENERAL.has(last.lower)) return null;
  // the name of a class needs its own modifier: "graphene oxide sheet", "glass transition temperature"
  const needsMore = CLASS_NAMES.has(last.lower) || !(isListedHead(last.lower) || isFormula(last.text));
  const from = needsMore ? to - 2 : to - 1;
  if (from < term.from) return null;
  const named = nameOf(tokens, from, to, from === 0);
  return isConcept(named, new Set()) ? { ...named, from, to, hasSign: false } : null;
}

function addRun(
  terms: Term[],
  tokens: readonly Token[],
  runFrom: number,
  to: number,
  known: ReadonlySet<string>,
): void {
  let from = runFrom;
  while (from < to && isLoose(tokens, from)) from++;
  if (from >= to || to - from > MAX_WORDS) return;
  let hasSign = false;
  for (let at = from - 1; at >= 0 && isModifier(tokens[at]!); at--) hasSign ||= SIGNS.has(tokens[at]!.lower);
  const named = nameOf(tokens, from, to, from === 0);
  if (isConcept(named, known)) terms.push({ ...named, from, to, hasSign });
}

function nameOf(tokens: readonly Token[], from: number, to: number, startsSentence: boolean): Named {
  const written = tokens
    .slice(from, to)
    .map(({ text }) => text)
    .join(" ");
  const label = labelOf(written, startsSentence);
  return { key: keyOf(label), label, type: conceptType(label) };
}

function isConcept({ label, key, type }: Named, known: ReadonlySet<string>): boolean {
  if (known.has(key)) return true;
  if (key.length < 3 || key.length > 60 || TOO_GENERAL.has(key)) return false;
  const words = label.split(" ");
  if (words.length > 1) return type !== "other" && !EMPTY_HEADS.has(words.at(-1)!.toLowerCase());
  const isName = label.split(/[/-]/).some(isFormula) || (isAcronym(label) && !NO_CONCEPTS.has(label));
  return isName || isListedHead(label) || type === "organism";
}

function isTermWord(tokens: readonly Token[], at: number, isInRun: boolean): boolean {
  const { text, lower } = tokens[at]!;
  if (isFunctionWord(lower) || !/\p{L}/u.test(text) || /^\d/.test(text)) return false;
  if (isFormula(text) || isAcronym(text)) return true;
  const next = tokens[at + 1];
  if (lower.endsWith("ly") && !/(?:family|assembly|anomaly)$/.test(lower)) return false;
  // "graphene improved the capacity" has a verb, "the doped graphene" a modifier
  if (lower.endsWith("ed") && lower.length > 4)
    return lower.includes("-") || (!isInRun && next !== undefined && isPlainWord(next));
  // "shortening the path" and "animals lacking adr-1" have verbs, "age hardening" a noun
  const followsPlural = isInRun && /[^s]s$/.test(tokens[at - 1]!.lower);
  if (lower.endsWith("ing") && ((next !== undefined && DETERMINERS.has(next.lower)) || followsPlural)) return false;
  return !(OTHER_VERBS.has(lower) || relationVerb(lower) !== null);
}

function isPlainWord({ lower, isAfterBreak }: Token): boolean {
  return !isAfterBreak && !isFunctionWord(lower) && !OTHER_VERBS.has(lower) && relationVerb(lower) === null;
}

/** Not a part of the name: a modifier, or the verb of "for preparing graphene" (but "of cooling rates" is a name). */
function isLoose(tokens: readonly Token[], at: number): boolean {
  const { lower } = tokens[at]!;
  if (isModifier(tokens[at]!)) return true;
  const previous = tokens[at - 1];
  const opensPhrase = previous === undefined || tokens[at]!.isAfterBreak || PREPOSITIONS.has(previous.lower);
  return lower.endsWith("ing") && opensPhrase && !isListedHead(lower);
}

function isModifier({ lower }: Token): boolean {
  return LOOSE_MODIFIERS.has(lower) || SIGNS.has(lower);
}

/** Without a bracket whose partner stands outside of the word. */
function balanced(word: string): string {
  const nOpen = (word.match(/[([]/g) ?? []).length;
  const nClosed = (word.match(/[)\]]/g) ?? []).length;
  return nClosed > nOpen ? balanced(word.slice(0, word.search(/[)\]][^)\]]*$/))) : word;
}

function isFunctionWord(lower: string): boolean {
  return DETERMINERS.has(lower) || PREPOSITIONS.has(lower) || PRONOUNS.has(lower);
}

/** Names of species as one word, so that their full stop ends nothing. Offsets stay the same. */
function joinSpecies(sentence: string): string {
  return sentence.replaceAll(SPECIES, (name) => name.replace(" ", "_"));
}

const PRONOUNS = new Set(
  "it they we he she you i them us there here what how why which who itself themselves one ones".split(" "),
);
const NO_CONCEPTS = new Set(["USA", "UK", "EU", "DOI", "PDF", "URL", "INTRODUCTION", "RESULTS", "METHODS"]);
/** Words that say too little alone. */
const CLASS_NAMES = new Set(
  "oxide alloy ion composite material polymer phosphate carbonate electrolyte nanoparticle protein acid salt".split(
    " ",
  ),
);
