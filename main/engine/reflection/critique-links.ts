import type { CritiquePoint } from "../../shared/contract/reflection.ts";
import { splitSentences } from "../../shared/sentences.ts";
import { overlapShare } from "../lib/text.ts";
import { alignSentences } from "./align-sentences.ts";
import type { Similarity } from "./similarity.ts";

/** From here on a sentence speaks of the same thing as a point. */
const MIN_COSINE = 0.6;
const MIN_OVERLAP = 0.5;
/** A changed sentence must have come this much nearer to the point than the sentence that it replaced. */
const MIN_GAIN = 0.05;
/** A sentence acts on the point it is nearest to, and on others only when they are about as near. */
const MAX_BEHIND_BEST = 0.1;

type Cosine = Awaited<ReturnType<Similarity>>;

/**
 * Which sentences of the improved thinking act on which point: new ones that speak of it, and changed ones that came
 * nearer to it. What already stood there is no answer to a critique.
 */
export async function linkCritique(
  points: readonly string[],
  thinking: string,
  improvedThinking: string,
  similarity: Similarity,
): Promise<CritiquePoint[]> {
  const before = splitSentences(thinking).map((span) => span.text);
  const after = splitSentences(improvedThinking).map((span) => span.text);
  const changes = alignSentences(before, after).filter(({ kind }) => kind === "added" || kind === "changed");
  const involved = changes.flatMap((change) => [
    after[change.after!]!,
    ...(change.before === null ? [] : [before[change.before]!]),
  ]);
  const cosine = await similarity([...points, ...involved]);
  const linked = changes.map((change) => {
    const sentence = after[change.after!]!;
    const replaced = change.before === null ? null : before[change.before]!;
    const nearness = points.map((point) => nearnessOf(sentence, replaced, point, cosine));
    const best = Math.max(...nearness);
    return { sentence: change.after!, acts: nearness.map((near) => near > 0 && near >= best - MAX_BEHIND_BEST) };
  });
  return points.map((point, ordinal) => {
    const changedSentences = linked.filter(({ acts }) => acts[ordinal]).map(({ sentence }) => sentence);
    return { ordinal, point, actedOn: changedSentences.length > 0, changedSentences };
  });
}

/** How near a sentence came to a point; 0 when it does not speak of it, or did not come nearer than what it replaced. */
function nearnessOf(sentence: string, replaced: string | null, point: string, cosine: Cosine): number {
  const now = { cosine: cosine(sentence, point) ?? 0, overlap: overlapShare(sentence, point) };
  const then =
    replaced === null
      ? { cosine: 0, overlap: 0 }
      : { cosine: cosine(replaced, point) ?? 0, overlap: overlapShare(replaced, point) };
  const actsByMeaning = now.cosine >= MIN_COSINE && now.cosine - then.cosine >= MIN_GAIN;
  const actsByWords = now.overlap >= MIN_OVERLAP && now.overlap - then.overlap >= MIN_GAIN;
  return actsByMeaning || actsByWords ? Math.max(now.cosine, now.overlap) : 0;
}
