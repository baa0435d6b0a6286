import type { PromptSet } from "../../asking/index.ts";
import { contentWords } from "../../lib/text.ts";

/** Talk about the source instead of the matter. */
export const REFERS_TO_TEXT =
  /\b(?:(?:the|this|that|these|given|above|following) (?:text|passage|paper|study|article|authors?|excerpt|context|paragraph|sentences?|facts?|research|document|section|statement|findings)|figures? ?\d|fig\.|tables? \d|et al|according to|mentioned|described (?:above|here|in)|(?:first|second|next) (?:sentence|paragraph))/i;

/**
 * Content words of a task's demonstrations: where they come up without a source, the model copied them. Words of the
 * instruction itself ("mechanism") are not theirs.
 */
export function exampleStems(promptSet: PromptSet, task: string): Set<string> {
  const { messages } = promptSet.task(task);
  const instruction = new Set(contentWords(messages.at(-1)?.content ?? ""));
  const stems = messages.slice(0, -1).flatMap(({ content }) => contentWords(content));
  return new Set(stems.filter((stem) => !instruction.has(stem)));
}

export function copiesExamples(text: string, source: string, stems: Set<string>): boolean {
  const known = new Set(contentWords(source));
  return contentWords(text).some((word) => stems.has(word) && !known.has(word));
}

/** The different content words that an answer adds to its question. */
export function addedWords(answer: string, question: string): string[] {
  const asked = new Set(contentWords(question));
  return [...new Set(contentWords(answer))].filter((word) => !asked.has(word));
}
