import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { PairProvenance, PairRow, type ThinkingSection } from "../../shared/contract/preference.ts";
import { AppError } from "../../shared/errors.ts";
import { DEFAULT_MARKERS } from "../../shared/markers.ts";
import { parseResponse } from "../../shared/response-format.ts";
import { writeFileAtomic } from "../lib/files.ts";
import type { NewPair, PairWithProvenance, PreferenceStore } from "./preference-store.ts";
import type { Provenance } from "./generate/provenance.ts";

export type ExportFormat = "jsonl" | "trl";

/** One pair a line: `jsonl` is the whole ledger row, `trl` what TRL's trainers read. */
export async function exportPairs(
  store: PreferenceStore,
  path: string,
  format: ExportFormat,
): Promise<{ nPairs: number }> {
  const pairs = store.accepted({ stage: null, loss: null });
  const lines = pairs.map((pair) => JSON.stringify(format === "trl" ? trlLine(pair) : pair));
  await writeFileAtomic(path, lines.map((line) => `${line}\n`).join(""));
  return { nPairs: pairs.length };
}

/** Reads either format into the ledger. What the ledger has already, by id or by the same file, is skipped. */
export async function importPairs(store: PreferenceStore, path: string): Promise<{ nPairs: number; nSkipped: number }> {
  const text = await readText(path);
  const sha256 = createHash("sha256").update(text).digest("hex");
  const experimentId = sha256.slice(0, 32);
  const lines = text.split("\n").map((line, i) => ({ line, where: `${path}, line ${i + 1}` }));
  const pairs = lines
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, where }, ordinal) => {
      const pair = parseLine(line, where);
      // the whole file is parsed before anything is written
      return { ...pair, experimentId, ordinal, vector: null, events: [{ kind: "imported", payload: { sha256 } }] };
    });
  const fresh = pairs.filter(({ id }) => id === undefined || !store.has(id));
  if (fresh.length > 0)
    store.openExperiment({ id: experimentId, key: `import/${sha256}`, recipe: { importedFrom: sha256 } });
  const nPairs = fresh.filter((pair) => store.insert(pair) !== undefined).length;
  return { nPairs, nSkipped: pairs.length - nPairs };
}

function trlLine({ question, chosen, rejected }: PairWithProvenance) {
  return { prompt: question, chosen, rejected };
}

/** Lines of version 0.1.0 name a stage by its loss. */
const LedgerLine = PairRow.extend({
  stageIndex: z.int().optional(),
  loss: z.string().optional(),
  provenance: z.looseObject(PairProvenance.shape),
});
const TrlLine = z.strictObject({ prompt: z.string().min(1), chosen: z.string().min(1), rejected: z.string().min(1) });

type ImportedPair = Omit<NewPair, "experimentId" | "ordinal" | "vector" | "events">;

function parseLine(line: string, where: string): ImportedPair {
  const value = parseJson(line, where);
  const trl = TrlLine.safeParse(value);
  if (trl.success) return fromTrl(trl.data);
  const row = LedgerLine.safeParse(value);
  // the provenance is kept as it was written; its known part has been checked
  if (row.success) {
    const { stageIndex = 0, loss = row.data.stage, provenance } = row.data;
    return { ...row.data, stageIndex, loss, provenance: provenance as unknown as Provenance };
  }
  const isLedgerLine = typeof value === "object" && value !== null && "provenance" in value;
  throw new AppError(
    "VALIDATION_FAILED",
    `${where} is no preference pair: ${z.prettifyError(isLedgerLine ? row.error : trl.error)}`,
    {
      hint: 'Each line is {"prompt","chosen","rejected"} with texts, or a line of `pairs export`.',
    },
  );
}

/** TRL's lines say nothing of stage or origin: they come in as a round of a loss that needs no reference. */
const IMPORTED_STAGE = { stage: "orpo", stageIndex: 0, loss: "orpo" };

function fromTrl({ prompt, chosen, rejected }: z.infer<typeof TrlLine>): ImportedPair {
  return {
    ...IMPORTED_STAGE,
    round: 0,
    question: prompt,
    chosen,
    rejected,
    thinking: sectionsOf(parseResponse(chosen, DEFAULT_MARKERS).thinking),
    status: "accepted",
    filterReason: null,
    sources: [],
    provenance: UNKNOWN_ORIGIN,
  };
}

function sectionsOf(thinking: string): ThinkingSection[] {
  const statements = thinking
    .split("\n")
    .map((line) => line.replace(/^- /, "").trim())
    .filter((line) => line !== "");
  return statements.length === 0 ? [] : [{ name: "Thinking", statements }];
}

const UNKNOWN_ORIGIN: Provenance = {
  seed: 0,
  experimentId: "",
  teacher: "imported",
  teacherSha256: "",
  policy: "imported",
  policySha256: "",
  policyAdapter: null,
  policyAdapterSha256: null,
  embedder: { model: "", sha256: "" },
  promptSet: "",
  promptHash: "",
  sampler: {},
  threads: 0,
  libraryVersion: "",
  tookMs: {},
};

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new AppError("NOT_FOUND", `The pairs file ${path} cannot be read`, { cause });
  }
}

function parseJson(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new AppError("VALIDATION_FAILED", `${where} is not JSON`, { cause });
  }
}
