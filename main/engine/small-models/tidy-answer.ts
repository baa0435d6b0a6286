import { splitSentences } from "../../shared/sentences.ts";
import { jaccard } from "../lib/text.ts";
import { REFERS_TO_TEXT } from "../preference/index.ts";

const SAME = 0.6;

/** Leaves out what a sentence before has said already, and "The study shows that …": the rest may stand. */
export function withoutBadSentences(answer: string): string {
  const kept: string[] = [];
  const paragraphs = answer.split(/\n+/).map((paragraph) => {
    const sentences = splitSentences(paragraph).map(({ text }) => text);
    const good = sentences.filter((sentence) => {
      const isNew = !kept.some((other) => jaccard(sentence, other) > SAME);
      if (isNew) kept.push(sentence);
      return isNew && !REFERS_TO_TEXT.test(sentence);
    });
    return good.join(" ");
  });
  return paragraphs.filter((paragraph) => paragraph !== "").join("\n\n");
}
