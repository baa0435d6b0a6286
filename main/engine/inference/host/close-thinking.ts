import { OWN_THINKING } from "../../../shared/markers.ts";
import type { TemplatePart } from "./template-parts.ts";

/**
 * What templates of reasoning models call the switch of their thinking mode. Off: the thinking of this method stands
 * between markers of its own, and what a model thinks by itself would be trained and shown as its answer.
 */
export const THINKING_SWITCHES = ["enable_thinking", "thinking"];

/**
 * Templates without such a switch (DeepSeek-R1, Qwen3-Thinking) end the prompt with an opened block of thinking. It is
 * closed at once, in the form that templates with a switch give an empty block.
 */
export function closeThinking(parts: TemplatePart[]): TemplatePart[] {
  const last = parts.at(-1);
  if (last?.kind !== "control") return parts;
  const text = last.text.trimEnd();
  const opened = OWN_THINKING.find(({ open }) => text.endsWith(open));
  return opened ? [...parts.slice(0, -1), { ...last, text: `${text}\n\n${opened.close}\n\n` }] : parts;
}
