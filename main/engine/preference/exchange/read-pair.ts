import { z } from "zod";
import { type ChatMessage, type EncodedPair } from "../../inference/index.ts";
import { PairProvenance, PairRow, Statement, ThinkingSection } from "../../../shared/contract/preference.ts";
import { DEFAULT_MARKERS, MarkerSet } from "../../../shared/markers.ts";
import { type PairTexts, readConversation } from "./conversation.ts";
import { BadPair } from "./turns.ts";

/** Masks of 0 and 1, one for each token of a response; absent when all of its tokens carry loss. */
export type TokenPair = EncodedPair & { chosen_mask?: (0 | 1)[]; rejected_mask?: (0 | 1)[] };

/** What one line of a pair file says: texts, token ids in the trainer's own format, or a whole row of the ledger. */
export type FilePair = { id: string | null } & (
  | ({ kind: "text"; markers: MarkerSet | null } & PairTexts)
  | { kind: "ids"; tokens: TokenPair }
  | { kind: "ledger"; row: LedgerLine }
);

/** Other names under which public data sets keep the same things; the first that is there counts. */
const NAMES = {
  prompt: ["prompt", "question", "instruction", "input", "conversations"],
  chosen: ["chosen", "chosen_response", "preferred_output"],
  rejected: ["rejected", "rejected_response", "non_preferred_output"],
  system: ["system", "system_prompt"],
};

/** Errors: BadPair, naming every part that is wrong. */
export function readPair(value: unknown): FilePair {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new BadPair("it is no JSON object");
  const record = value as Record<string, unknown>;
  if ("provenance" in record && "question" in record) return readLedgerLine(record);
  const field = (name: keyof typeof NAMES) =>
    NAMES[name].map((key) => record[key]).find((entry) => entry !== undefined && entry !== null);
  const [prompt, chosen, rejected] = [field("prompt"), field("chosen"), field("rejected")];
  const problems = [...sideProblem(chosen, "chosen"), ...sideProblem(rejected, "rejected")];
  if (problems.length > 0) throw new BadPair(problems.join(", "), hintFor(record));
  const id = typeof record["id"] === "string" || typeof record["id"] === "number" ? String(record["id"]) : null;
  if ([prompt, chosen, rejected].some(isIds)) return { kind: "ids", id, tokens: readTokens(record) };
  const texts = readConversation(wholePrompt(prompt, record), chosen, rejected);
  for (const key of ["chosen", "rejected"] as const) {
    if (texts[key].trim() === "") throw new BadPair(`${key} is empty`);
  }
  const markers = MarkerSet.safeParse(record["markers"]);
  return { kind: "text", id, ...withSystem(texts, field("system")), markers: markers.data ?? null };
}

function sideProblem(side: unknown, key: string): string[] {
  if (side === undefined) return [`${key} is missing`];
  const isEmpty = (typeof side === "string" && side.trim() === "") || (Array.isArray(side) && side.length === 0);
  return isEmpty ? [`${key} is empty`] : [];
}

function hintFor(record: Record<string, unknown>): string | undefined {
  if ("completion" in record && "label" in record) {
    return "These are single answers with a label (KTO); pairs need two answers to one prompt.";
  }
  return undefined;
}

/** Instruction and input of one line belong together; an input may also be an object with messages. */
function wholePrompt(prompt: unknown, { instruction, input }: Record<string, unknown>): unknown {
  if (typeof instruction === "string" && prompt === instruction && typeof input === "string" && input.trim() !== "") {
    return `${instruction}\n${input}`;
  }
  const isHolder = typeof prompt === "object" && prompt !== null && "messages" in prompt;
  return isHolder ? prompt.messages : prompt;
}

function withSystem(texts: PairTexts, system: unknown): PairTexts {
  if (typeof system !== "string" || system.trim() === "" || texts.messages[0]?.role === "system") return texts;
  const first: ChatMessage = { role: "system", content: system };
  return { ...texts, messages: [first, ...texts.messages] };
}

const Ids = z.array(z.int().min(0)).min(1);
const Mask = z.array(z.union([z.literal(0), z.literal(1), z.boolean().transform((bit): 0 | 1 => (bit ? 1 : 0))]));
const TokenLine = z.object({
  prompt: Ids,
  chosen: Ids,
  rejected: Ids,
  chosen_mask: Mask.nullish(),
  rejected_mask: Mask.nullish(),
});

function isIds(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === "number";
}

function readTokens(record: Record<string, unknown>): TokenPair {
  const parsed = TokenLine.safeParse(record);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new BadPair(
      `${String(issue?.path[0] ?? "it")} is no list of token ids (${issue?.message ?? ""})`,
      "Give prompt, chosen and rejected all as token ids, or all as texts.",
    );
  }
  const { prompt, chosen, rejected, chosen_mask, rejected_mask } = parsed.data;
  return {
    prompt,
    chosen,
    rejected,
    ...maskOf("chosen", chosen, chosen_mask),
    ...maskOf("rejected", rejected, rejected_mask),
  };
}

function maskOf(side: "chosen" | "rejected", ids: number[], mask: (0 | 1)[] | null | undefined): Partial<TokenPair> {
  if (!mask) return {};
  if (mask.length !== ids.length) {
    throw new BadPair(`${side}_mask has ${mask.length} entries for the ${ids.length} tokens of ${side}`);
  }
  if (!mask.includes(1)) throw new BadPair(`${side}_mask leaves no token of ${side} that carries loss`);
  return { [`${side}_mask`]: mask };
}

/** Nobody knows where an imported thinking comes from. */
export const unsourced = (text: string): Statement => ({ text, spans: null });

/** Files of version 0.1.0 hold statements as bare texts. */
const LedgerSection = ThinkingSection.extend({
  statements: z.array(z.union([Statement, z.string().transform(unsourced)])),
});

/** A line of `pairs export`. What later versions added may be absent; version 0.1.0 names a stage by its loss. */
const LedgerLine = PairRow.extend({
  thinking: z.array(LedgerSection),
  stageIndex: z.int().optional(),
  loss: z.string().optional(),
  markers: MarkerSet.default(DEFAULT_MARKERS),
  messages: PairRow.shape.messages.default(null),
  tokens: PairRow.shape.tokens.default(null),
  provenance: z.looseObject(PairProvenance.shape),
});
export type LedgerLine = z.output<typeof LedgerLine>;

function readLedgerLine(record: Record<string, unknown>): FilePair {
  const parsed = LedgerLine.safeParse(record);
  if (!parsed.success)
    throw new BadPair(z.prettifyError(parsed.error), "Lines of `pairs export` are read as they are.");
  return { kind: "ledger", id: parsed.data.id, row: parsed.data };
}
