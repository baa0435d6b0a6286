import { splitSentences } from "../../shared/sentences.ts";
import type { Asker, PointOutcome, Reading, Revision, Similarity, Situation } from "../reflection/index.ts";
import { faithfulnessProblem, unusedFacts } from "./facts.ts";

const N_POINTS = 2;

/**
 * Critique and revision for a critic too small to judge a text as a whole. Code finds what the thinking leaves out, the
 * critic says it in words, one fact at a time, and each point is acted on by one new statement. A whole rewrite fails
 * with such models, so does an open question for weaknesses, and shown the thinking they repeat it.
 */
export async function reviseByLines(ask: Asker, situation: Situation, similarity: Similarity): Promise<Revision> {
  const { question } = situation.plan;
  const problems: string[] = [];
  const kept = withoutRepeats(situation.earlier.at(-1)!.thinking);
  const points = kept.repeated.map((statement) => `The thinking says this more than once: ${statement}`);
  const outcomes = points.map((): PointOutcome => ({ kind: "removal" }));
  let thinking = kept.thinking;
  for (const fact of await unusedFacts(ask, situation, thinking, similarity, N_POINTS)) {
    const values = { question, fact };
    const omission = await ask.askFor("critic", "critique", values, (text) => readSentence(text, fact));
    const statement = await ask.askFor("critic", "improve", values, (text) => readSentence(text, fact));
    if (omission === null) problems.push("critique_quotes_its_source");
    if (statement === null) problems.push("improvement_quotes_its_source");
    points.push(
      omission === null ? `The thinking leaves this out: ${fact}` : `The thinking leaves out that ${omission}`,
    );
    const added = upperFirst(statement ?? fact);
    outcomes.push({ kind: "statement", statement: added });
    thinking = withStatement(thinking, added);
  }
  return { points, thinking, problems, outcomes };
}

/** The first sentence, if it is whole and faithful to the fact. */
function readSentence(text: string, fact: string): Reading<string> {
  const sentence = splitSentences(text)[0]?.text.replace(/^[-*•]\s*/, "") ?? "";
  if (!/[.!]$/.test(sentence)) return { problem: "not a whole sentence" };
  const problem = faithfulnessProblem(sentence, fact);
  return problem === null ? { value: sentence } : { problem };
}

/** The statement as one more line in the manner of the last one. */
function withStatement(thinking: string, statement: string): string {
  const bullet = /^(\s*[-*•]\s+)/.exec(thinking.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? "- ";
  return `${thinking.trimEnd()}\n${bullet}${statement}`;
}

/** Small models write the same statement again and again; the first one stays. */
function withoutRepeats(thinking: string): { thinking: string; repeated: string[] } {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  const lines = thinking.split("\n").filter((line) => {
    const statement = line.replace(/^\s*[-*•]\s+/, "").trim();
    if (statement === "" || statement.endsWith(":")) return true;
    const isNew = !seen.has(statement.toLowerCase());
    seen.add(statement.toLowerCase());
    if (!isNew) repeated.add(statement);
    return isNew;
  });
  return { thinking: lines.join("\n"), repeated: [...repeated] };
}

function upperFirst(sentence: string): string {
  return sentence.replace(/^\p{Ll}(?=\p{Ll}|\s)/u, (letter) => letter.toUpperCase());
}
