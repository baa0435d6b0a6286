import type { ChatMessage } from "../../inference/index.ts";

/** What is wrong with a line, in words that name its part; whoever knows the file and the line adds them. */
export class BadPair extends Error {
  readonly hint: string | undefined;
  constructor(problem: string, hint?: string) {
    super(problem);
    this.hint = hint;
  }
}

const ROLES: Record<string, ChatMessage["role"]> = {
  system: "system",
  developer: "system",
  user: "user",
  human: "user",
  prompter: "user",
  assistant: "assistant",
  gpt: "assistant",
  bot: "assistant",
  chatbot: "assistant",
  model: "assistant",
};
const TOOL_ROLES = new Set([
  "tool",
  "function",
  "function_call",
  "observation",
  "ipython",
  "tool_call",
  "tool_response",
]);

/** Messages in the forms of TRL (role, content) and of ShareGPT (from, value); one message counts as a list of one. */
export function readTurns(value: unknown, key: string): ChatMessage[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  return list.map((entry, i) => readTurn(entry, list.length === 1 ? key : `message ${i + 1} of ${key}`));
}

function readTurn(entry: unknown, name: string): ChatMessage {
  if (typeof entry !== "object" || entry === null) throw new BadPair(`${name} is no message with role and content`);
  const message = entry as Record<string, unknown>;
  const named = message["role"] ?? message["from"];
  const role = typeof named === "string" ? named.toLowerCase() : "";
  if (TOOL_ROLES.has(role) || (Array.isArray(message["tool_calls"]) && message["tool_calls"].length > 0)) {
    throw new BadPair(`${name} is a tool's turn, and calls of tools cannot be trained`, "Leave these pairs out.");
  }
  const known = Object.hasOwn(ROLES, role) ? ROLES[role] : undefined;
  if (!known)
    throw new BadPair(`${name} has the unknown role ${JSON.stringify(role)}`, "Use system, user or assistant.");
  return { role: known, content: contentOf(message["content"] ?? message["value"], name) };
}

function contentOf(content: unknown, name: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) throw new BadPair(`${name} has no text`);
  const parts = content.map((part: unknown) => {
    if (typeof part === "string") return part;
    const text = typeof part === "object" && part !== null && "text" in part ? part.text : undefined;
    if (typeof text !== "string") throw new BadPair(`${name} holds something else than text`, "Leave these pairs out.");
    return text;
  });
  return parts.join("");
}

export function isSameTurn(a: ChatMessage | undefined, b: ChatMessage | undefined): boolean {
  return a?.role === b?.role && a?.content.trim() === b?.content.trim();
}

/** A dialogue as the HH-RLHF data write it: "\n\nHuman: …\n\nAssistant: …". Null for any other text. */
export function readDialogue(text: string): ChatMessage[] | null {
  if (!/^\s*Human:/.test(text)) return null;
  const pieces = `\n\n${text.trimStart()}`.split(/\n\n(Human|Assistant):/);
  const turns: ChatMessage[] = [];
  for (let i = 1; i < pieces.length; i += 2) {
    turns.push({ role: pieces[i] === "Human" ? "user" : "assistant", content: pieces[i + 1]!.trim() });
  }
  return turns.some(({ role }) => role === "assistant") ? turns : null;
}
