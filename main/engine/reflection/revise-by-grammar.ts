import { z } from "zod";
import { type Asker, nothingUsable, type Reading, readJson } from "./asker.ts";
import { oneLine } from "../lib/text.ts";
import { withPassages } from "./sources.ts";
import type { Revision, Situation } from "./types.ts";

const Critique = z.object({ points: z.array(z.string()) });
const ImprovedThinking = z.object({
  sections: z.array(z.object({ name: z.string(), statements: z.array(z.string()) })),
});

/** Critique and whole rewrite by a critic that can judge a text: JSON by grammar, numbered points, then new sections. */
export async function reviseByGrammar(ask: Asker, situation: Situation): Promise<Revision> {
  const { plan, sources, earlier } = situation;
  const last = earlier.at(-1)!;
  const values = {
    question: withPassages(plan.question, sources),
    thinking: last.thinking,
    reflection: last.reflection === "" ? "" : `\nThe writer's own doubts:\n${last.reflection}\n`,
  };
  const points = await ask.askFor("critic", "critique", values, readPoints);
  if (points === null) throw nothingUsable("critic", "critique");
  if (points.length === 0) return { points, thinking: last.thinking, problems: [] };
  const numbered = points.map((point, i) => `${i + 1}. ${point}`).join("\n");
  const thinking = await ask.askFor("critic", "improve", { ...values, points: numbered }, readThinking);
  if (thinking === null) throw nothingUsable("critic", "improve");
  return { points, thinking, problems: [] };
}

function readPoints(text: string): Reading<string[]> {
  return readJson(text, (value) => {
    const points = Critique.parse(value).points.map(withoutNumber);
    return { value: [...new Set(points.filter((point) => point !== ""))] };
  });
}

/** Sections and statements in the form that thinking has everywhere: a name with a colon, a dash before each statement. */
function readThinking(text: string): Reading<string> {
  return readJson(text, (value) => {
    const sections = ImprovedThinking.parse(value)
      .sections.map(({ name, statements }) => ({
        name: oneLine(name),
        statements: statements.map(withoutNumber).filter(Boolean),
      }))
      .filter(({ statements }) => statements.length > 0);
    if (sections.length === 0) return { problem: "no statement" };
    return {
      value: sections
        .map(({ name, statements }) => [`${name}:`, ...statements.map((s) => `- ${s}`)].join("\n"))
        .join("\n"),
    };
  });
}

/** Lists are numbered where they are shown; a model's own numbers would stand there twice. */
function withoutNumber(text: string): string {
  return oneLine(text).replace(/^(?:\d+[.)]|[-*•])\s+/, "");
}
