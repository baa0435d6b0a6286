import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import { refusalOf } from "../filters/filter.ts";
import { filtered, found, type Outcome } from "../filters/outcome.ts";
import { filterRegistry } from "../filters/registry.ts";
import type { PairWriter, ThinkingInput } from "./pair-writer.ts";

/** The structured thinking: the recipe's sections, filled from the context only. */
export async function writeThinking(writer: PairWriter, input: ThinkingInput): Promise<Outcome<ThinkingSection[]>> {
  const sections = await writer.writeThinking(input);
  const problem = refusalOf(
    filterRegistry.thinking,
    { sections, wanted: input.recipe.sections },
    input.recipe.language,
  );
  return problem ? filtered(problem) : found(sections.filter(({ statements }) => statements.length > 0));
}

/** The thinking as it stands between the markers: a heading line and a dash for each statement. */
export function formatThinking(sections: readonly ThinkingSection[]): string {
  return sections.map((section) => `${section.name}:\n${asList(textsOf(section))}`).join("\n");
}

export function textsOf(section: ThinkingSection | undefined): string[] {
  return section?.statements.map(({ text }) => text) ?? [];
}

export function asList(statements: readonly string[]): string {
  return statements.map((statement) => `- ${statement}`).join("\n");
}
