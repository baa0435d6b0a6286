import { z } from "zod";
import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import { inventedFacts, jaccard, repetitionShare, stutters } from "../../lib/text.ts";
import { type Answer, nTries } from "../../asking/index.ts";
import type { Section } from "../../recipe/index.ts";
import { createLocate, locateAll } from "./locate-statement.ts";
import type { PairWriter, ThinkingInput } from "./pair-writer.ts";
import { REFERS_TO_TEXT } from "../filters/wording.ts";

const SAME = 0.8;

/** A section as the model wrote it. */
type Draft = { name: string; statements: string[] };

/**
 * The way of models that can fill a schema. They are shown the text as it stands on the page: which chunks are worth
 * asking about is decided by the page's yield and by what is a list of references, not by the form of sentences.
 */
export const grammarWriter: PairWriter = {
  name: "grammar",
  passageOf: (source) => (source.text.trim() === "" ? null : source),
  readQuestion({ text, stopReason }: Answer) {
    if (stopReason === "max_tokens") return ""; // the JSON was cut
    const parsed = JSON.parse(text) as { question: string }; // the grammar allows nothing else
    return parsed.question.trim();
  },
  writeThinking: thinkByGrammar,
  tidyAnswer: (answer) => answer,
};

/** All sections in one call, then the same checks as for single lines. */
async function thinkByGrammar(input: ThinkingInput): Promise<ThinkingSection[]> {
  const { ask, promptSet, recipe, question, context } = input;
  const texts = context.map(({ text }) => text);
  const values = {
    question,
    context: texts.join("\n\n"),
    sections: recipe.sections.map(({ name, guide }) => `- ${name}: ${guide}`).join("\n"),
  };
  let best: Draft[] = [];
  for (let attempt = 0; attempt < nTries(promptSet, "thinking"); attempt++) {
    const { text, stopReason } = await ask("thinking", values, { attempt, jsonSchema: schemaOf(recipe.sections) });
    if (stopReason === "max_tokens") continue; // the JSON was cut
    const sections = clean(parseSections(text, recipe.sections), [question, ...texts].join("\n"), recipe.language);
    const isFull = recipe.sections.every((section, i) => sections[i]!.statements.length >= section.minStatements);
    if (isFull || nStatements(sections) > nStatements(best)) best = sections;
    if (isFull) break;
  }
  const locate = createLocate(context);
  return best.map(({ name, statements }) => ({ name, statements: locateAll(statements, locate) }));
}

/** Section names are data of the recipe, so the schema is made from them. */
export function schemaOf(sections: readonly Section[]): Record<string, unknown> {
  const list = ({ minStatements, maxStatements }: Section) => ({
    type: "array",
    items: { type: "string" },
    minItems: minStatements,
    maxItems: maxStatements,
  });
  return {
    type: "object",
    properties: Object.fromEntries(sections.map((section) => [section.name, list(section)])),
    required: sections.map(({ name }) => name),
    additionalProperties: false,
  };
}

function parseSections(text: string, sections: readonly Section[]): Draft[] {
  const parsed = z.record(z.string(), z.array(z.string())).parse(JSON.parse(text));
  return sections.map(({ name, maxStatements }) => ({
    name,
    statements: (parsed[name] ?? []).slice(0, maxStatements),
  }));
}

/** Leaves out empty, repeated and looping statements, talk about the source, and numbers that no source has. */
function clean(sections: Draft[], source: string, language: string): Draft[] {
  const kept: string[] = [];
  return sections.map(({ name, statements }) => ({
    name,
    statements: statements
      .map((statement) => statement.trim().replace(/^[-•*\d.\s]+(?=\p{L})/u, ""))
      .filter((statement) => {
        if (
          statement.length < 3 ||
          (language === "en" && REFERS_TO_TEXT.test(statement)) ||
          repetitionShare(statement, 3) > 0 ||
          stutters(statement)
        )
          return false;
        if (inventedFacts(statement, source).length > 0) return false;
        if (kept.some((other) => jaccard(other, statement) >= SAME)) return false;
        kept.push(statement);
        return true;
      }),
  }));
}

function nStatements(sections: Draft[]): number {
  return sections.reduce((sum, { statements }) => sum + statements.length, 0);
}
