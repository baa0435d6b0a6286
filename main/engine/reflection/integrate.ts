import type { Iteration } from "../../shared/contract/reflection.ts";
import { cutAtSentenceEnd, oneLine } from "../lib/text.ts";
import { type Asker, nothingUsable } from "./asker.ts";

/** The critic merges the answers of all iterations into one. */
export async function integrateAnswers(
  ask: Asker,
  question: string,
  iterations: readonly Iteration[],
): Promise<string> {
  const answers = [...new Set(iterations.map(({ answer }) => oneLine(answer)))].filter((answer) => answer !== "");
  const values = { question, answers: answers.map((answer, i) => `Answer ${i + 1}: ${answer}`).join("\n") };
  const { text, stopReason } = await ask.write("critic", "integrate", values, "integrated");
  const merged = stopReason === "max_tokens" ? cutAtSentenceEnd(text) || text.trim() : text.trim();
  if (merged === "") throw nothingUsable("critic", "integrate");
  return merged;
}
