import type { ChatMessage } from "../../inference/index.ts";

/** The prompt of a pair: what both responses answer, in training and when the tuned model is asked. */
export function pairMessages(question: string): ChatMessage[] {
  return [{ role: "user", content: question }];
}
