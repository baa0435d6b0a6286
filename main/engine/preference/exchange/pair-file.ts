import { createHash } from "node:crypto";
import type { PairProblem } from "../../../shared/contract/training.ts";
import { AppError } from "../../../shared/errors.ts";
import { type FilePair, readPair } from "./read-pair.ts";
import { type FileRecord, readPairText, recordsOf } from "./read-records.ts";
import { BadPair } from "./turns.ts";

/** A line that gives no pair although it is well formed. */
export type LeftOut = { where: string; reason: "same_sides" | "duplicate" };
export type PairFile = {
  sha256: string;
  pairs: (FilePair & { where: string })[];
  leftOut: LeftOut[];
};

/**
 * The one reader of pair files, for training and for the ledger alike. A line that is no pair refuses the whole file, by
 * name; one whose two answers are equal, or that came before, is left out and counted.
 * Errors: NOT_FOUND, VALIDATION_FAILED.
 */
export async function readPairFile(path: string): Promise<PairFile> {
  const text = await readPairText(path);
  const file: PairFile = { sha256: createHash("sha256").update(text).digest("hex"), pairs: [], leftOut: [] };
  const seen = new Set<string>();
  for (const record of recordsOf(text, path)) {
    const pair = readRecord(record);
    const { prompt, chosen, rejected } = contentOf(pair);
    const content = JSON.stringify([prompt, chosen, rejected]);
    if (chosen === rejected) file.leftOut.push({ where: record.where, reason: "same_sides" });
    else if (seen.has(content)) file.leftOut.push({ where: record.where, reason: "duplicate" });
    else file.pairs.push({ ...pair, where: record.where });
    seen.add(content);
  }
  if (file.pairs.length === 0) throw nothingLeft(path, file.leftOut);
  return file;
}

function readRecord({ value, where }: FileRecord): FilePair {
  try {
    return readPair(value);
  } catch (error) {
    if (!(error instanceof BadPair)) throw error;
    throw new AppError("VALIDATION_FAILED", `${where} is no preference pair: ${error.message}`, {
      hint:
        error.hint ??
        'Each line is {"prompt","chosen","rejected"}, as texts, messages or token ids, or a line of `pairs export`.',
      cause: error,
    });
  }
}

function contentOf(pair: FilePair): { prompt: string; chosen: string; rejected: string } {
  if (pair.kind === "text") {
    return { prompt: JSON.stringify(pair.messages), chosen: pair.chosen.trim(), rejected: pair.rejected.trim() };
  }
  const { tokens } = pair.kind === "ids" ? pair : pair.row;
  if (tokens) {
    return { prompt: tokens.prompt.join(), chosen: tokens.chosen.join(), rejected: tokens.rejected.join() };
  }
  // only token ids come without a row
  const row = (pair as FilePair & { kind: "ledger" }).row;
  // a ledger keeps pairs of several rounds: equal ones are told apart by their ids
  return { prompt: `${row.id} ${row.question}`, chosen: row.chosen.trim(), rejected: row.rejected.trim() };
}

const REASONS: Record<LeftOut["reason"], string> = {
  same_sides: "chosen and rejected are the same",
  duplicate: "the same pair stands further up",
};

/** One count and sentence for each reason: "3 of 9 pairs dropped: chosen and rejected are the same. …" */
export function describeLeftOut({ leftOut, pairs }: Pick<PairFile, "leftOut" | "pairs">): PairProblem[] {
  const of = pairs.length + leftOut.length;
  return (["same_sides", "duplicate"] as const).flatMap((kind) => {
    const places = leftOut.filter(({ reason }) => reason === kind).map(({ where }) => where);
    if (places.length === 0) return [];
    const shown = places.slice(0, 3).join("; ") + (places.length > 3 ? "; …" : "");
    const message = `${places.length} of ${of} pairs dropped: ${REASONS[kind]}. See ${shown}.`;
    return [{ kind, n: places.length, of, isDropped: true, message }];
  });
}

function nothingLeft(path: string, leftOut: readonly LeftOut[]): AppError {
  const [first] = leftOut;
  const why = first ? `: ${first.where}: ${REASONS[first.reason]}` : "";
  return new AppError("VALIDATION_FAILED", `The pairs file ${path} holds no pair to learn from${why}`, {
    hint: "A pair needs two different answers to one prompt.",
  });
}
