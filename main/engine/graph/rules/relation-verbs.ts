/** The closed list of relations, each with the verbs (in their base form) that state it. */
const VERBS: Record<string, string> = {
  improves: "improve enhance strengthen promote facilitate optimize optimise",
  increases: "increase raise accelerate boost elevate extend prolong",
  reduces: "reduce decrease lower diminish weaken shorten alleviate lessen",
  prevents: "prevent inhibit suppress hinder block impede restrict avoid",
  causes: "cause induce trigger drive",
  produces: "produce form generate create yield release synthesize synthesise prepare fabricate",
  contains: "contain comprise include",
  enables: "enable allow support provide",
  controls: "control regulate govern determine modulate mediate",
  affects: "affect influence alter change modify",
  requires: "require need",
  binds: "bind",
  catalyzes: "catalyze catalyse",
  protects: "protect",
  measures: "measure detect quantify",
  exhibits: "exhibit possess display have",
};
/** Verbs that need their preposition to mean this. */
const WITH_PREPOSITION: Record<string, [verb: string, preposition: string][]> = {
  causes: [
    ["lead", "to"],
    ["result", "in"],
    ["contribute", "to"],
  ],
  requires: [
    ["depend", "on"],
    ["rely", "on"],
  ],
  binds: [
    ["bind", "to"],
    ["attach", "to"],
    ["adsorb", "on"],
  ],
  contains: [["consist", "of"]],
  "interacts with": [
    ["interact", "with"],
    ["react", "with"],
  ],
  "occurs in": [
    ["occur", "in"],
    ["occur", "at"],
    ["occur", "during"],
  ],
};
/** "is composed of" is a passive in form only. */
const PARTICIPLES: Record<string, [participle: string, preposition: string][]> = {
  contains: [
    ["composed", "of"],
    ["made", "of"],
  ],
};

/** `have` is left to its finite forms: "having" opens a phrase. */
const IRREGULAR: Record<string, string[]> = {
  have: ["has", "have"],
  lead: ["lead", "leads", "led"],
  bind: ["bind", "binds", "bound"],
  drive: ["drive", "drives", "drove"],
  control: ["control", "controls", "controlled"],
  occur: ["occur", "occurs", "occurred"],
  // "form", "yield", "need", "change", "support", "block", "display" and "result" are nouns as often as verbs
  form: ["forms", "formed"],
  yield: ["yields", "yielded"],
  need: ["needs", "needed"],
  change: ["changes", "changed"],
  support: ["supports", "supported"],
  block: ["blocks", "blocked"],
  display: ["displays", "displayed"],
  result: ["results", "resulted", "result"],
  increase: ["increases", "increased", "increase"],
  decrease: ["decreases", "decreased", "decrease"],
};

export type RelationVerb = { type: string; preposition: string | null };

const BY_FORM = new Map<string, RelationVerb[]>();
for (const [type, verbs] of Object.entries(VERBS)) {
  for (const verb of verbs.split(" ")) for (const form of finiteForms(verb)) add(form, { type, preposition: null });
}
for (const [type, pairs] of Object.entries(WITH_PREPOSITION)) {
  for (const [verb, preposition] of pairs) for (const form of finiteForms(verb)) add(form, { type, preposition });
}
const PARTICIPLE_FORMS = new Map(
  Object.entries(PARTICIPLES).flatMap(([type, pairs]) =>
    pairs.map(([word, preposition]) => [word, { type, preposition }] as const),
  ),
);

/** The relations that a finite form ("improves", "led") can state; null for any other word. */
export function relationVerb(lower: string): RelationVerb[] | null {
  return BY_FORM.get(lower) ?? null;
}

export function relationParticiple(lower: string): RelationVerb | null {
  return PARTICIPLE_FORMS.get(lower) ?? null;
}

function add(form: string, relation: RelationVerb): void {
  BY_FORM.set(form, [...(BY_FORM.get(form) ?? []), relation]);
}

function finiteForms(verb: string): string[] {
  const irregular = IRREGULAR[verb];
  if (irregular) return irregular;
  const third = /(?:s|sh|ch|x|z)$/.test(verb)
    ? `${verb}es`
    : /[^aeiou]y$/.test(verb)
      ? `${verb.slice(0, -1)}ies`
      : `${verb}s`;
  const past = verb.endsWith("e") ? `${verb}d` : /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ied` : `${verb}ed`;
  return [verb, third, past];
}
