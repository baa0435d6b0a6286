import type { ChatMessage } from "../../inference/index.ts";
import { pairMessages } from "../encode/pair-messages.ts";
import { BadPair, isSameTurn, readDialogue, readTurns } from "./turns.ts";

/** A pair as texts: what both responses answer, and the two responses. */
export type PairTexts = { messages: ChatMessage[]; chosen: string; rejected: string };

/**
 * The pair that a line means, in any of TRL's forms: the prompt as text or messages, or absent and then the common
 * beginning of both sides; each side as text, as the assistant's message, or as the whole conversation. Whatever the
 * form, the response is the last turn of the assistant, and everything before it is the prompt.
 */
export function readConversation(prompt: unknown, chosen: unknown, rejected: unknown): PairTexts {
  if (typeof chosen === "string" && typeof rejected === "string") return fromTexts(prompt, chosen, rejected);
  const promptTurns =
    typeof prompt === "string" ? turnsOfText(prompt) : prompt === undefined ? [] : readTurns(prompt, "prompt");
  const isText = typeof prompt === "string";
  const sides = [sideTurns(chosen, "chosen"), sideTurns(rejected, "rejected")] as const;
  return fromTurns(
    joinTurns(promptTurns, sides[0], isText, "chosen"),
    joinTurns(promptTurns, sides[1], isText, "rejected"),
  );
}

/** The question that a person would see in a list: the last thing that the user says. */
export function questionOf(messages: readonly ChatMessage[]): string {
  return messages.findLast(({ role }) => role === "user")?.content ?? "";
}

function sideTurns(side: unknown, key: string): ChatMessage[] {
  return typeof side === "string" ? [{ role: "assistant", content: side }] : readTurns(side, key);
}

function turnsOfText(prompt: string): ChatMessage[] {
  const dialogue = readDialogue(prompt);
  if (!dialogue) return pairMessages(prompt);
  // the prompt of a dialogue ends with "Assistant:", where the response goes on
  return dialogue.at(-1)?.role === "assistant" && dialogue.at(-1)?.content === "" ? dialogue.slice(0, -1) : dialogue;
}

function fromTexts(prompt: unknown, chosen: string, rejected: string): PairTexts {
  if (prompt === undefined) {
    const dialogues = [readDialogue(chosen), readDialogue(rejected)] as const;
    if (dialogues[0] && dialogues[1]) return fromTurns(dialogues[0], dialogues[1]);
    return splitCommonBeginning(chosen, rejected);
  }
  const messages = typeof prompt === "string" ? turnsOfText(prompt) : readTurns(prompt, "prompt");
  const isWhole = typeof prompt === "string" && [chosen, rejected].every((side) => beginsWithPrompt(side, prompt));
  const response = (side: string) =>
    isWhole && typeof prompt === "string" ? side.trimStart().slice(prompt.trim().length) : side;
  const isDialogue = typeof prompt === "string" && readDialogue(prompt) !== null;
  const textOf = (side: string) => (isWhole || isDialogue ? response(side).trim() : side);
  const turns = (side: string): ChatMessage[] => [...messages, { role: "assistant", content: textOf(side) }];
  return fromTurns(turns(chosen), turns(rejected));
}

/** Data sets that keep prompt and response in one text beside the prompt alone. */
function beginsWithPrompt(side: string, prompt: string): boolean {
  const text = side.trimStart();
  const begin = prompt.trim();
  return begin !== "" && text.startsWith(begin) && /^\s/.test(text.slice(begin.length)) && text.trim() !== begin;
}

/** As TRL's extract_prompt: up to the first character that differs, without a space just before it. */
function splitCommonBeginning(chosen: string, rejected: string): PairTexts {
  let n = 0;
  while (n < Math.min(chosen.length, rejected.length) && chosen[n] === rejected[n]) n++;
  if (chosen[n - 1] === " ") n--;
  const prompt = chosen.slice(0, n);
  // equal sides are told apart from a missing prompt by whoever compares them
  if (chosen === rejected) return { messages: pairMessages(prompt), chosen, rejected };
  if (prompt.trim() === "") {
    throw new BadPair(
      "prompt is missing, and chosen and rejected have no common beginning",
      "Add a prompt to each line.",
    );
  }
  return {
    messages: pairMessages(prompt),
    chosen: chosen.slice(n).trimStart(),
    rejected: rejected.slice(n).trimStart(),
  };
}

/** One conversation from the prompt and a side, which may hold the prompt again, a part of it, or only the response. */
function joinTurns(prompt: ChatMessage[], side: ChatMessage[], promptIsText: boolean, key: string): ChatMessage[] {
  if (prompt.length === 0 || endsWithTurns(side.slice(0, -1), prompt)) return side;
  for (let n = Math.min(prompt.length, side.length); n > 0; n--) {
    if (endsWithTurns(prompt, side.slice(0, n))) return [...prompt, ...side.slice(n)];
  }
  if (side[0]?.role === "assistant" || prompt.at(-1)?.role === "assistant") return [...prompt, ...side];
  // the prompt as text may differ in its white space or leave the system's turn out; the conversation is the whole
  if (promptIsText && side.some(({ role }) => role === "user")) return side;
  throw new BadPair(`${key} is neither the answer to the prompt nor the conversation with it`);
}

function endsWithTurns(turns: readonly ChatMessage[], end: readonly ChatMessage[]): boolean {
  const start = turns.length - end.length;
  return start >= 0 && end.every((turn, i) => isSameTurn(turns[start + i], turn));
}

function fromTurns(chosen: ChatMessage[], rejected: ChatMessage[]): PairTexts {
  const [messages, other] = [promptOf(chosen, "chosen"), promptOf(rejected, "rejected")];
  if (messages.length !== other.length || !messages.every((turn, i) => isSameTurn(turn, other[i]))) {
    throw new BadPair(
      "chosen and rejected differ before the last answer",
      "A pair is two answers to one conversation: end both conversations where they part.",
    );
  }
  return { messages, chosen: chosen.at(-1)!.content, rejected: rejected.at(-1)!.content };
}

function promptOf(turns: ChatMessage[], key: string): ChatMessage[] {
  const prompt = turns.slice(0, -1);
  if (turns.at(-1)?.role !== "assistant") throw new BadPair(`the last message of ${key} is not the assistant's`);
  if (prompt.length === 0)
    throw new BadPair(`prompt is missing, and ${key} has nothing before the assistant's message`);
  if (prompt.at(-1)!.role !== "user") throw new BadPair(`the message before the answer of ${key} is not the user's`);
  if (prompt.at(-1)!.content.trim() === "") throw new BadPair("prompt is empty");
  return prompt;
}
