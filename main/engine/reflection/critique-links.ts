import { alignSentences, type AlignedRow } from "../../shared/align-sentences.ts";
import type { CritiquePoint } from "../../shared/contract/reflection.ts";
import { splitSentences } from "../../shared/sentences.ts";
import { contentWords, words } from "../lib/text.ts";
import type { Similarity } from "./similarity.ts";
import type { PointOutcome } from "./types.ts";

/** A sentence that says this share of what a point asks for acts on it, whatever the embedder thinks. */
const MIN_COVERAGE = 0.5;
/** From this cosine on a sentence speaks of the same thing as a point, if it has some of the point's own words too. */
const MIN_COSINE = 0.6;
const MIN_SHARED = 0.2;
/** A changed sentence must have come this much nearer to the point than the sentence that it replaced. */
const MIN_GAIN = 0.05;
/** A sentence acts on the point it is nearest to, and on others only when they are about as near. */
const MAX_BEHIND_BEST = 0.1;

type Cosine = Awaited<ReturnType<Similarity>>;
/** What came with a revision: a new sentence, or one that was changed and what it replaced. */
type Change = { sentence: number; text: string; replaced: string | null };

/**
 * Which sentences of the improved thinking act on which point. Where the revision knows what it did for a point, that
 * is told; else new sentences that say what the point asks for count, and changed ones that came nearer to it. What
 * already stood there, or only moved, is no answer to a critique.
 */
export async function linkCritique(
  points: readonly string[],
  thinking: string,
  improvedThinking: string,
  similarity: Similarity,
  outcomes: readonly (PointOutcome | null)[] = [],
): Promise<CritiquePoint[]> {
  const rows = alignSentences(thinking, improvedThinking);
  const changes = rows.flatMap(changeOf);
  const cosine = await similarity([...points, ...changes.flatMap(({ text, replaced }) => [text, replaced ?? text])]);
  const weigh = wordWeights(points, rows);
  const linked = changes.map((change) => {
    const nearness = points.map((point) => nearnessOf(change, point, cosine, weigh));
    const best = Math.max(...nearness);
    return { ...change, acts: nearness.map((near) => near > 0 && near >= best - MAX_BEHIND_BEST) };
  });
  return points.map((point, ordinal) => {
    const outcome = outcomes[ordinal] ?? null;
    const known = outcome?.kind === "statement" ? sentencesOfStatement(outcome.statement, changes) : [];
    if (outcome?.kind === "removal") return { ordinal, point, actedOn: true, changedSentences: [] };
    const changedSentences =
      known.length > 0 ? known : linked.filter(({ acts }) => acts[ordinal]).map(({ sentence }) => sentence);
    return { ordinal, point, actedOn: changedSentences.length > 0, changedSentences };
  });
}

function changeOf(row: AlignedRow): Change[] {
  if (row.kind === "changed") return [{ sentence: row.after.index, text: row.after.text, replaced: row.before.text }];
  if (row.kind !== "added" || row.movedFrom !== null) return [];
  return [{ sentence: row.after.index, text: row.after.text, replaced: null }];
}

/** The changes that are sentences of a statement which the revision has put there. */
function sentencesOfStatement(statement: string, changes: readonly Change[]): number[] {
  const said = new Set(splitSentences(statement).map((span) => wordsOf(span.text)));
  return changes.filter(({ text }) => said.has(wordsOf(text))).map(({ sentence }) => sentence);
}

/** The sentence without the dash that makes it a statement of a list. */
function wordsOf(text: string): string {
  return words(text).join(" ");
}

/** How near a change came to a point; 0 when it does not say it, or is no nearer than what it replaced. */
function nearnessOf({ text, replaced }: Change, point: string, cosine: Cosine, weigh: Weigh): number {
  const now = { cosine: cosine(text, point) ?? 0, coverage: coverageOf(point, text, weigh) };
  const then =
    replaced === null
      ? { cosine: 0, coverage: 0 }
      : { cosine: cosine(replaced, point) ?? 0, coverage: coverageOf(point, replaced, weigh) };
  const saysIt = now.coverage >= MIN_COVERAGE && now.coverage - then.coverage >= MIN_GAIN;
  const meansIt = now.cosine >= MIN_COSINE && now.cosine - then.cosine >= MIN_GAIN && now.coverage >= MIN_SHARED;
  return saysIt || meansIt ? Math.max(now.coverage, meansIt ? now.cosine : 0) : 0;
}

/** Share of what the point asks for that the sentence says, by weight, 0..1. */
function coverageOf(point: string, sentence: string, weigh: Weigh): number {
  const said = new Set(contentWords(sentence));
  let covered = 0;
  let asked = 0;
  for (const word of askedWords(point)) {
    asked += weigh(word);
    if (said.has(word)) covered += weigh(word);
  }
  return asked === 0 ? 0 : covered / asked;
}

type Weigh = (word: string) => number;

/**
 * What every point and sentence speaks of says little about which belongs to which: a word counts by how rare it is
 * among them (inverse document frequency).
 */
function wordWeights(points: readonly string[], rows: readonly AlignedRow[]): Weigh {
  const texts = [...points, ...rows.map((row) => (row.kind === "removed" ? row.before : row.after).text)];
  const nTexts = new Map<string, number>();
  for (const text of texts) {
    for (const word of new Set(contentWords(text))) nTexts.set(word, (nTexts.get(word) ?? 0) + 1);
  }
  return (word) => Math.log(1 + texts.length / (nTexts.get(word) ?? 1));
}

/** The point's words without those by which a critic asks. */
function askedWords(point: string): Set<string> {
  return new Set(contentWords(point).filter((word) => !CRITIC_WORDS.has(word)));
}

const CRITIC_WORDS = new Set(
  contentWords(
    "thinking reasoning step leave leaves left out omit omits lacks lack miss missing misses mention mentions explain explains explained say says state states add give name clarify specify discuss consider include describe detail details argument claim answer statement statements sentence make clear once twice",
  ),
);
