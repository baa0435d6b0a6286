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
  const involved = changes.flatMap((change) => [after[change.after!]!, ...(change.before === null ? [] : [before[change.before]!])]);
  const cosine = await similarity([...points, ...involved]);
  const nearness = (sentence: string, point: string) => ({
    cosine: cosine(sentence, point) ?? 0,
    overlap: overlapShare(sentence, point),
  });
  return points.map((point, ordinal) => {
    const changedSentences = changes.flatMap((change) => {
      const now = nearness(after[change.after!]!, point);
      const then = change.before === null ? { cosine: 0, overlap: 0 } : nearness(before[change.before]!, point);
      const actsByMeaning = now.cosine >= MIN_COSINE && now.cosine - then.cosine >= MIN_GAIN;
      const actsByWords = now.overlap >= MIN_OVERLAP && now.overlap - then.overlap >= MIN_GAIN;
      return actsByMeaning || actsByWords ? [change.after!] : [];
    });
    return { ordinal, point, actedOn: changedSentences.length > 0, changedSentences };
  });
}
