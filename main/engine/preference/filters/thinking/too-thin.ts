import type { ThinkingSection } from "../../../../shared/contract/preference.ts";
import type { Filter } from "../filter.ts";
import type { ThinkingDraft } from "../subjects.ts";

/** Its numbers are those of the recipe's sections. */
export const thinkingTooThin: Filter<ThinkingDraft> = {
  reason: "thinking_too_thin",
  refuses: ({ sections, wanted }) =>
    wanted.some(({ name, minStatements }) => nStatements(sections, name) < minStatements),
};

function nStatements(sections: ThinkingSection[], name: string): number {
  return sections.find((section) => section.name === name)?.statements.length ?? 0;
}
