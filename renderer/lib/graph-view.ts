import type { ConceptRow, ConceptType, RelationRow } from "../../main/shared/contract/graph.ts";

/** What the user has asked to see of the graph. */
export type GraphFilter = { hiddenTypes: ReadonlySet<ConceptType>; round: number };

export function isConceptShown(
  concept: Pick<ConceptRow, "type" | "firstRound">,
  { hiddenTypes, round }: GraphFilter,
): boolean {
  return concept.firstRound <= round && !hiddenTypes.has(concept.type);
}

/** Each concept's relations and the concepts at their other ends. */
export type Neighbourhood = { conceptIds: Set<string>; relationIds: Set<string> };

export function neighbourhoodOf(conceptId: string, relations: readonly RelationRow[]): Neighbourhood {
  const conceptIds = new Set([conceptId]);
  const relationIds = new Set<string>();
  for (const { id, sourceId, targetId } of relations) {
    if (sourceId !== conceptId && targetId !== conceptId) continue;
    relationIds.add(id);
    conceptIds.add(sourceId);
    conceptIds.add(targetId);
  }
  return { conceptIds, relationIds };
}

/** How long the layout may run: small graphs stand after a second, the largest get the time that clusters need. */
export function layoutBudgetMs(nConcepts: number): number {
  return Math.min(25_000, 1200 + 3 * nConcepts);
}

/** Up to this many concepts every name is written out and gets room of its own. */
export const ALL_LABELS_SHOWN = 120;

/** Below this much evidence the largest node of a young graph is not drawn as if it were a great one. */
const MUCH_EVIDENCE = 12;

/** By evidence: the area of a node, not its width, grows with what is known about it. */
export function nodeSize(nEvidence: number, mostEvidence: number, nConcepts: number): number {
  const largest = nConcepts <= ALL_LABELS_SHOWN ? 16 : nConcepts <= 1000 ? 12 : 8;
  const smallest = nConcepts <= ALL_LABELS_SHOWN ? 5 : nConcepts <= 1000 ? 3 : 1.5;
  const share = Math.max(0, nEvidence - 1) / Math.max(MUCH_EVIDENCE - 1, mostEvidence - 1);
  return smallest + (largest - smallest) * Math.sqrt(share);
}

/** A place to start from: on a sunflower spiral, so that no two concepts begin in the same spot and every run begins alike. */
export function startPosition(index: number): { x: number; y: number } {
  const angle = index * Math.PI * (3 - Math.sqrt(5));
  const radius = 10 * Math.sqrt(index + 0.5);
  return { x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
}

/** Where the words stand in a sentence, without regard to case; overlapping finds are joined. */
export function rangesOfWords(text: string, words: readonly string[]): { start: number; end: number }[] {
  const lower = text.toLowerCase();
  const found = words.flatMap((word) => {
    const wanted = word.toLowerCase();
    const ranges: { start: number; end: number }[] = [];
    for (let at = wanted ? lower.indexOf(wanted) : -1; at >= 0; at = lower.indexOf(wanted, at + wanted.length)) {
      ranges.push({ start: at, end: at + wanted.length });
    }
    return ranges;
  });
  const joined: { start: number; end: number }[] = [];
  for (const range of found.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1);
    if (last && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else joined.push(range);
  }
  return joined;
}
