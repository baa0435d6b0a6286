import type { PairSelection } from "../../shared/contract/job-types.ts";
import type { PairRow } from "../../shared/contract/preference.ts";
import type { PairProblem } from "../../shared/contract/training.ts";
import { AppError } from "../../shared/errors.ts";
import { type MarkerSet, markersIn } from "../../shared/markers.ts";
import type { ChatMessage } from "../inference/index.ts";
import { describeLeftOut, type PairFile, pairMessages, readPairFile, type TokenPair } from "../preference/index.ts";
import type { TrainingDeps } from "./deps.ts";

export type TextPair = {
  kind: "text";
  id: string;
  messages: ChatMessage[];
  chosen: string;
  rejected: string;
  markers: MarkerSet;
};
/** Already token ids, in the trainer's own format. */
export type IdPair = { kind: "ids"; id: string; tokens: TokenPair };
export type SelectedPair = TextPair | IdPair;

/** `problems` say what of a file gives no pair, with its lines. */
export type Selected = { pairs: SelectedPair[]; problems: PairProblem[] };

/** Errors: NOT_FOUND for a missing file, VALIDATION_FAILED naming the line, or for an empty selection. */
export async function selectPairs(deps: TrainingDeps, selection: PairSelection): Promise<Selected> {
  const selected = await read(deps, selection);
  if (selected.pairs.length > 0) return selected;
  throw new AppError("VALIDATION_FAILED", "There are no accepted preference pairs to train on", {
    hint: "Generate some first: preflexor pairs generate --count 8",
  });
}

async function read(deps: TrainingDeps, selection: PairSelection): Promise<Selected> {
  if (selection.from === "file") {
    const file = await readPairFile(selection.path);
    return { pairs: file.pairs.map(pairOfFile), problems: describeLeftOut(file) };
  }
  const rows =
    selection.from === "round"
      ? deps.preference.acceptedPairs(selection.experimentId, selection.stage, selection.round)
      : deps.preference.allAccepted(selection.stage);
  return { pairs: rows.map(pairOfRow), problems: [] };
}

function pairOfRow(row: Pick<PairRow, "id" | "question" | "messages" | "tokens" | "chosen" | "rejected" | "markers">) {
  const { id, question, chosen, rejected, markers } = row;
  if (row.tokens) return { kind: "ids", id, tokens: row.tokens as TokenPair } satisfies IdPair;
  const messages = row.messages ?? pairMessages(question);
  return { kind: "text", id, messages, chosen, rejected, markers } satisfies TextPair;
}

function pairOfFile(pair: PairFile["pairs"][number]): SelectedPair {
  if (pair.kind === "ledger") return pairOfRow(pair.row);
  // "pairs.jsonl, line 3" is known as line-3
  const id = pair.id ?? (pair.where.split(", ").at(-1) ?? "").replace(" ", "-");
  if (pair.kind === "ids") return { kind: "ids", id, tokens: pair.tokens };
  const { messages, chosen, rejected, markers } = pair;
  return { kind: "text", id, messages, chosen, rejected, markers: markers ?? markersIn(chosen) };
}
