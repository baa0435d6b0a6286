import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { PairRow } from "../../shared/contract/preference.ts";
import { AppError } from "../../shared/errors.ts";
import type { ChatMessage } from "../inference/index.ts";
import { pairMessages } from "../preference/index.ts";
import type { TrainingDeps } from "./deps.ts";

/** Where a run's pairs come from: a round of an experiment, the ledger by a stage's name or loss, all of it, or a file. */
export const PairSelection = z.discriminatedUnion("from", [
  z.strictObject({ from: z.literal("round"), experimentId: z.string(), stage: z.string(), round: z.int() }),
  z.strictObject({ from: z.literal("ledger"), stage: z.string().optional() }),
  z.strictObject({ from: z.literal("file"), path: z.string() }),
]);
export type PairSelection = z.infer<typeof PairSelection>;

export type TextPair = { kind: "text"; id: string; messages: ChatMessage[]; chosen: string; rejected: string };
/** Already token ids, in the trainer's own format. */
export type IdPair = { kind: "ids"; line: Record<string, unknown> };
export type SelectedPair = TextPair | IdPair;

/** Errors: NOT_FOUND for a missing file, VALIDATION_FAILED naming the line, or for an empty selection. */
export async function selectPairs(deps: TrainingDeps, selection: PairSelection): Promise<SelectedPair[]> {
  const pairs = await read(deps, selection);
  if (pairs.length > 0) return pairs;
  throw new AppError("VALIDATION_FAILED", "There are no accepted preference pairs to train on", {
    hint: "Generate some first: preflexor pairs generate --count 8",
  });
}

async function read(deps: TrainingDeps, selection: PairSelection): Promise<SelectedPair[]> {
  if (selection.from === "file") return readPairFile(selection.path);
  const rows =
    selection.from === "round"
      ? deps.preference.acceptedPairs(selection.experimentId, selection.stage, selection.round)
      : deps.preference.allAccepted(selection.stage);
  return rows.map(textPairOf);
}

function textPairOf(row: PairRow): TextPair {
  const { id, question, chosen, rejected } = row;
  return { kind: "text", id, messages: pairMessages(question), chosen, rejected };
}

const Message = z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() });
const Text = z.union([z.string().min(1), z.array(Message).min(1)]);
const TrlLine = z.looseObject({ id: z.string().optional(), prompt: Text, chosen: Text, rejected: Text });
const Ids = z.array(z.int().min(0));
const IdLine = z.looseObject({ id: z.string(), prompt: Ids, chosen: Ids, rejected: Ids });

/** JSON lines of the trainer ({"id","prompt":[ids],…}) or of TRL ({"prompt","chosen","rejected"} as texts or messages). */
async function readPairFile(path: string): Promise<SelectedPair[]> {
  const lines = (await readText(path)).split("\n");
  return lines.flatMap((line, index) =>
    line.trim() === "" ? [] : [parseLine(line, `${path}, line ${index + 1}`, index)],
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AppError("NOT_FOUND", `The pairs file ${path} cannot be read`, { cause });
  }
}

function parseLine(line: string, where: string, index: number): SelectedPair {
  const value = parseJson(line, where);
  const ids = IdLine.safeParse(value);
  if (ids.success) return { kind: "ids", line: ids.data };
  const text = TrlLine.safeParse(value);
  if (text.success) {
    const { id, prompt, chosen, rejected } = text.data;
    const messages = typeof prompt === "string" ? pairMessages(prompt) : prompt;
    return {
      kind: "text",
      id: id ?? `line-${index + 1}`,
      messages,
      chosen: textOf(chosen),
      rejected: textOf(rejected),
    };
  }
  throw new AppError("VALIDATION_FAILED", `${where} is no preference pair`, {
    hint: 'Each line is {"prompt","chosen","rejected"}: texts, messages or token ids.',
  });
}

function parseJson(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new AppError("VALIDATION_FAILED", `${where} is not JSON`, { cause });
  }
}

function textOf(value: z.infer<typeof Text>): string {
  return typeof value === "string" ? value : value.map((message) => message.content).join("\n");
}
