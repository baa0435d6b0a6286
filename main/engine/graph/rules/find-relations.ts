import { modifierOf, type Term, type Token } from "./find-terms.ts";
import { isAcronym } from "./labels.ts";
import { relationParticiple, relationVerb } from "./relation-verbs.ts";
import { ADVERBS, DETERMINERS, LOOSE_MODIFIERS, NEGATIONS, PREPOSITIONS, SIGNS } from "./words.ts";

export type FoundRelation = { source: Term; type: string; target: Term };
type Sentence = { tokens: readonly Token[]; terms: readonly Term[] };
type Verb = { type: string; end: number };

/**
 * Relations stated in so many words: concept, verb of the closed list, concept, with nothing between them but what
 * changes nothing; beside that "conductivity of graphene", "bacteria such as E. coli", "improved by graphene" and "cooling rate".
 * Sentences with a negation or a doubt are left out, and so is every subject that might only be a part of a longer
 * phrase: a missing relation costs less than a wrong one.
 */
export function findRelations(tokens: readonly Token[], terms: readonly Term[]): FoundRelation[] {
  if (tokens.some(({ lower }) => NEGATIONS.has(lower) || /n['’]t$/.test(lower))) return [];
  const sentence = { tokens, terms };
  const found = terms.flatMap((term, index) => [
    ...statedByVerb(sentence, index),
    ...statedByAgent(sentence, term),
    ...statedByPhrase(sentence, term),
  ]);
  return found.filter(({ source, target }) => source.key !== target.key);
}

/** "Graphene improves the conductivity and reduces the weight". */
function statedByVerb(sentence: Sentence, index: number): FoundRelation[] {
  const { tokens, terms } = sentence;
  const source = subjectOf(sentence, index);
  if (!source || source.hasSign) return [];
  const found: FoundRelation[] = [];
  let verb = verbAfter(tokens, terms[index]!.to);
  while (verb) {
    const { type } = verb;
    const objects = objectsAt(sentence, verb.end);
    found.push(...objects.filter(({ hasSign }) => !hasSign).map((target) => ({ source, type, target })));
    const last = objects.at(-1);
    // "… and reduces": the same subject goes on
    verb = last && tokens[last.to]?.lower === "and" ? verbAfter(tokens, last.to + 1) : null;
  }
  return found;
}

/** "The conductivity is improved by graphene": what stands after "by" does it. */
function statedByAgent({ tokens, terms }: Sentence, term: Term): FoundRelation[] {
  const index = terms.indexOf(term);
  const target = subjectOf({ tokens, terms }, index);
  let at = skipAdverbs(tokens, term.to);
  if (!COPULAS.has(tokens[at]?.lower ?? "")) return [];
  at = skipAdverbs(tokens, at + 1);
  const participle = relationVerb(tokens[at]?.lower ?? "")?.find(({ preposition }) => preposition === null);
  if (
    !target ||
    target.hasSign ||
    !participle ||
    !/(?:ed|bound|driven)$/.test(tokens[at]!.lower) ||
    tokens[at + 1]?.lower !== "by"
  )
    return [];
  const source = objectsAt({ tokens, terms }, at + 2)[0];
  return source && !source.hasSign ? [{ source, type: participle.type, target }] : [];
}

/** "Conductivity of graphene", "editing in C. elegans", "pathogens such as E. coli", "cooling rate". */
function statedByPhrase(sentence: Sentence, term: Term): FoundRelation[] {
  const { tokens } = sentence;
  const next = tokens[term.to];
  const found = statedByCompound(tokens, term);
  if (!next || next.isAfterBreak) return found;
  if (next.lower === "such" && tokens[term.to + 1]?.lower === "as") {
    return [...found, ...objectsAt(sentence, term.to + 2).map((source) => ({ source, type: "is a", target: term }))];
  }
  const other = objectsAt(sentence, term.to + 1)[0];
  if (!other || term.hasSign) return found;
  if (next.lower === "of" && term.type === "property" && (isThing(other) || other.type === "process"))
    found.push({ source: other, type: "has property", target: term });
  if (next.lower === "of" && term.type === "process" && isThing(other))
    found.push({ source: term, type: "involves", target: other });
  if (next.lower === "in" && term.type === "process" && isThing(other))
    found.push({ source: term, type: "occurs in", target: other });
  if (next.lower === "for" && (term.type === "material" || term.type === "method"))
    found.push({ source: term, type: "used for", target: other });
  return found;
}

/** "Cooling rate" is a property of cooling, and a "graphene sheet" is made of graphene. */
function statedByCompound(tokens: readonly Token[], term: Term): FoundRelation[] {
  const modifier = modifierOf(tokens, term);
  if (!modifier) return [];
  if (term.type === "property" && modifier.type !== "property")
    return [{ source: modifier, type: "has property", target: term }];
  const isMadeOf =
    term.type === "structure" && modifier.type === "material" && !NAMED_BY_USE.has(tokens[term.to - 1]!.lower);
  return isMadeOf ? [{ source: term, type: "contains", target: modifier }] : [];
}

/** A sample or a substance often goes by a short name alone: "the crystallization of BT0". */
function isThing({ type, label }: Term): boolean {
  return THINGS.has(type) || (type === "other" && isAcronym(label));
}

/** The concept that a verb after this term speaks of; null when the term only belongs to a longer phrase. */
function subjectOf({ tokens, terms }: Sentence, index: number): Term | null {
  const term = terms[index]!;
  const before = skipFillersBack(tokens, term.from - 1);
  const previous = tokens[before];
  if (!previous || tokens[term.from]?.isAfterBreak) return term;
  if (previous.lower === "of") {
    const head = terms.find(({ to }) => to === before);
    if (head) return opensClause(tokens, skipFillersBack(tokens, head.from - 1)) ? head : null;
    return TRANSPARENT.has(tokens[before - 1]?.lower ?? "") && !SIGNS.has(tokens[before - 2]?.lower ?? "")
      ? term
      : null;
  }
  if (previous.lower === "and" || previous.lower === "or") {
    // "the interface between A and B": what holds for the first of a list holds for the others
    const first = terms.findIndex(({ to }) => to === before);
    return first < 0 || subjectOf({ tokens, terms }, first) ? term : null;
  }
  return opensClause(tokens, before) ? term : null;
}

/** A preposition before a phrase makes it a part of another one. */
function opensClause(tokens: readonly Token[], before: number): boolean {
  const previous = tokens[before];
  return !previous || !PREPOSITIONS.has(previous.lower) || CLAUSE_OPENERS.has(previous.lower);
}

function verbAfter(tokens: readonly Token[], from: number): Verb | null {
  let at = from;
  // "pathogens that infect": the pronoun stands for the term before it
  if (tokens[at]?.lower === "that" || tokens[at]?.lower === "which") at++;
  else if (tokens[at]?.isAfterBreak) return null;
  at = skipAdverbs(tokens, at);
  const token = tokens[at];
  if (!token || (token.isAfterBreak && at > from)) return null;
  if (COPULAS.has(token.lower)) return afterCopula(tokens, at);
  if (token.lower === "helps" || token.lower === "help")
    return plainVerb(tokens, tokens[at + 1]?.lower === "to" ? at + 2 : at + 1);
  return plainVerb(tokens, at);
}

function plainVerb(tokens: readonly Token[], at: number): Verb | null {
  const next = tokens[at + 1]?.lower;
  const readings = relationVerb(tokens[at]?.lower ?? "") ?? [];
  const withPreposition = readings.find(({ preposition }) => preposition !== null && preposition === next);
  if (withPreposition) return { type: withPreposition.type, end: at + 2 };
  const plain = readings.find(({ preposition }) => preposition === null);
  return plain ? { type: plain.type, end: at + 1 } : null;
}

/** "X is a Y", "X is composed of Y", "X is used to improve Y"; every other participle is a passive. */
function afterCopula(tokens: readonly Token[], copula: number): Verb | null {
  const at = skipAdverbs(tokens, copula + 1);
  const next = tokens[at]?.lower ?? "";
  if (next === "a" || next === "an") return { type: "is a", end: at + 1 };
  if (MEANS.has(next) && tokens[at + 1]?.lower === "to") return plainVerb(tokens, at + 2);
  const participle = relationParticiple(next);
  return participle && tokens[at + 1]?.lower === participle.preposition ? { type: participle.type, end: at + 2 } : null;
}

/** The term right after the verb, and those that "and" or a comma joins to it. */
function objectsAt({ tokens, terms }: Sentence, from: number): Term[] {
  const objects: Term[] = [];
  let at = from;
  for (;;) {
    while (at < tokens.length && isFiller(tokens[at]!.lower)) at++;
    const term = terms.find((candidate) => candidate.from === at);
    if (!term || (objects.length === 0 && tokens[at]!.isAfterBreak)) return objects;
    objects.push(term);
    const joint = tokens[term.to];
    if (!joint) return objects;
    if (joint.lower === "and" && terms.some((candidate) => candidate.from === skipFillers(tokens, term.to + 1)))
      at = term.to + 1;
    else if (joint.isAfterBreak && isListed(tokens, terms, term.to)) at = term.to;
    else return objects;
  }
}

/** "capacity, stability and strength": after the comma comes a term with another joint or the end behind it. */
function isListed(tokens: readonly Token[], terms: readonly Term[], from: number): boolean {
  const term = terms.find((candidate) => candidate.from === from);
  const next = term && tokens[term.to];
  return term !== undefined && (next === undefined || next.isAfterBreak || next.lower === "and");
}

function skipAdverbs(tokens: readonly Token[], from: number): number {
  let at = from;
  while (at < tokens.length && (at === from || !tokens[at]!.isAfterBreak) && isAdverb(tokens[at]!.lower)) at++;
  return at;
}

function skipFillers(tokens: readonly Token[], from: number): number {
  let at = from;
  while (at < tokens.length && isFiller(tokens[at]!.lower)) at++;
  return at;
}

function skipFillersBack(tokens: readonly Token[], from: number): number {
  let at = from;
  while (at >= 0 && isFiller(tokens[at]!.lower)) at--;
  return at;
}

function isFiller(lower: string): boolean {
  return DETERMINERS.has(lower) || LOOSE_MODIFIERS.has(lower) || SIGNS.has(lower);
}

function isAdverb(lower: string): boolean {
  return ADVERBS.has(lower) || lower.endsWith("ly");
}

const COPULAS = new Set(["is", "are", "was", "were", "be"]);
/** "is used to improve": what is used does the improving. */
const MEANS = new Set(["used", "added", "adopted", "employed", "able", "known", "beneficial"]);
/** A "lithium battery" or a "water channel" is not made of its modifier. */
const NAMED_BY_USE = new Set(
  "battery batteries sensor sensors device devices cell cells channel channels cage cages pathway pathways".split(" "),
);
const THINGS = new Set<Term["type"]>(["material", "structure", "organism"]);
/** "The addition of graphene improves …": what is added is what improves. */
const TRANSPARENT = new Set(
  "addition use presence incorporation introduction application concentration role".split(" "),
);
/** After these a new clause with a subject of its own begins. */
const CLAUSE_OPENERS = new Set(
  "that because since while when where if although though whereas so then thus hence however therefore but and also".split(
    " ",
  ),
);
