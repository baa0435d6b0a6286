import type { ConceptType } from "../../../shared/contract/graph.ts";
import { splitSentences } from "../../../shared/sentences.ts";
import { findRelations } from "./find-relations.ts";
import { findTerms, type Named, termOfEntry, tokenize } from "./find-terms.ts";

/** A statement under the heading of its section. */
export type Statement = { section: string; text: string };
/** `statement` is the index of the statement that the sentence stands in. */
export type Evidence = { section: string; sentence: string; statement: number };
export type ExtractedConcept = { key: string; label: string; type: ConceptType; evidence: Evidence[] };
/** Source and target are keys of concepts. */
export type ExtractedRelation = { source: string; type: string; target: string; evidence: Evidence[] };
export type Extraction = { concepts: ExtractedConcept[]; relations: ExtractedRelation[] };

/**
 * What a list of statements says of concepts and how they hang together, by code alone: the same thinking gives the
 * same graph, and each entry points to the sentence that says it. Lists of concepts among them tell which phrases
 * are names.
 */
export function extract(given: readonly Statement[]): Extraction {
  const statements = given.map(({ section, text }, statement) => ({ section, text: text.trim(), statement }));
  const entries = statements.filter(({ text }) => isEntryList(text)).flatMap(entriesOf);
  const known = new Set(entries.map(({ term }) => term.key));
  const concepts = new Map<string, ExtractedConcept>();
  const relations = new Map<string, ExtractedRelation>();

  for (const { section, text, statement } of statements.filter(({ text }) => !isEntryList(text))) {
    for (const { text: sentence } of splitSentences(text)) {
      const evidence = { section, sentence, statement };
      const tokens = tokenize(sentence);
      const terms = findTerms(tokens, known);
      for (const term of terms) addConcept(concepts, term, evidence);
      for (const { source, type, target } of findRelations(tokens, terms)) {
        // a modifier is a concept of its own only where a relation needs it
        addConcept(concepts, source, evidence);
        addConcept(concepts, target, evidence);
        addRelation(relations, { source: source.key, type, target: target.key }, evidence);
      }
    }
  }
  // an entry that no sentence speaks of still has the list itself as its evidence
  for (const { term, evidence } of entries) if (!concepts.has(term.key)) addConcept(concepts, term, evidence);
  return { concepts: [...concepts.values()], relations: [...relations.values()] };
}

/** No sentence: few words and no full stop, or such phrases with commas between them. */
function isEntryList(text: string): boolean {
  return !/[.!?]$/.test(text) && text.split(",").every((entry) => entry.trim().split(/\s+/).length <= 4);
}

function entriesOf({ section, text, statement }: Statement & { statement: number }): {
  term: Named;
  evidence: Evidence;
}[] {
  return text.split(",").flatMap((entry) => {
    const term = termOfEntry(entry.trim());
    return term ? [{ term, evidence: { section, sentence: text, statement } }] : [];
  });
}

function addConcept(concepts: Map<string, ExtractedConcept>, term: Named, evidence: Evidence): void {
  const { key, label, type } = term;
  const concept = concepts.get(key) ?? { key, label, type, evidence: [] };
  concepts.set(key, concept);
  addEvidence(concept.evidence, evidence);
}

function addRelation(
  relations: Map<string, ExtractedRelation>,
  relation: Omit<ExtractedRelation, "evidence">,
  evidence: Evidence,
): void {
  const id = JSON.stringify([relation.source, relation.type, relation.target]);
  const found = relations.get(id) ?? { ...relation, evidence: [] };
  relations.set(id, found);
  addEvidence(found.evidence, evidence);
}

function addEvidence(list: Evidence[], evidence: Evidence): void {
  if (!list.some(({ section, sentence }) => section === evidence.section && sentence === evidence.sentence))
    list.push(evidence);
}
