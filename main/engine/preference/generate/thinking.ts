import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import type { Embedder } from "../../embedding/index.ts";
import type { PromptSet } from "../../asking/index.ts";
import type { Ask } from "../../asking/index.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import type { Recipe, Section } from "../../recipe/index.ts";
import { thinkByGrammar } from "./thinking-grammar.ts";
import { thinkByLines } from "../../small-models/think-by-lines.ts";

export type ThinkingInput = {
  ask: Ask;
  promptSet: PromptSet;
  embedder: Embedder;
  recipe: Recipe;
  question: string;
  /** The source chunk's sentences first, then one text per retrieved chunk. */
  context: string[];
  signal: AbortSignal;
};

/** The structured thinking: the recipe's sections, filled from the context only. */
export async function writeThinking(input: ThinkingInput): Promise<Outcome<ThinkingSection[]>> {
  const sections = input.promptSet.style === "lines" ? await thinkByLines(input) : await thinkByGrammar(input);
  const isThin = input.recipe.sections.some((section) => nStatements(sections, section) < section.minStatements);
  return isThin ? filtered("thinking_too_thin") : found(sections.filter(({ statements }) => statements.length > 0));
}

/** The thinking as it stands between the markers: a heading line and a dash for each statement. */
export function formatThinking(sections: readonly ThinkingSection[]): string {
  return sections
    .map(({ name, statements }) => [`${name}:`, ...statements.map((line) => `- ${line}`)].join("\n"))
    .join("\n");
}

function nStatements(sections: ThinkingSection[], section: Section): number {
  return sections.find(({ name }) => name === section.name)?.statements.length ?? 0;
}
