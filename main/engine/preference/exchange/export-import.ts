import type { ThinkingSection } from "../../../shared/contract/preference.ts";
import { DEFAULT_MARKERS, markersIn } from "../../../shared/markers.ts";
import { parseResponse } from "../../../shared/response-format.ts";
import { writeFileAtomic } from "../../lib/files.ts";
import type { ExperimentStore } from "../experiment-store.ts";
import type { Provenance } from "../generate/provenance.ts";
import type { NewPair, PairWithProvenance, PreferenceStore } from "../preference-store.ts";
import { questionOf } from "./conversation.ts";
import { describeLeftOut, readPairFile } from "./pair-file.ts";
import { type FilePair, unsourced } from "./read-pair.ts";

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

/**
 * Reads a pair file into the ledger. What the ledger has already, by id or by the same file, is skipped; lines that give
 * no pair are named in the warnings. The whole file is read before anything is written.
 */
export async function importPairs(
  store: PreferenceStore,
  experiments: ExperimentStore,
  path: string,
): Promise<{ nPairs: number; nSkipped: number; warnings: string[] }> {
  const file = await readPairFile(path);
  const { pairs, sha256 } = file;
  const experimentId = sha256.slice(0, 32);
  const event = { kind: "imported", payload: { sha256 } };
  const rows = pairs.map((pair, ordinal) => ({ ...rowOf(pair), experimentId, ordinal, vector: null, events: [event] }));
  const fresh = rows.filter(({ id }) => id === undefined || !store.has(id));
  if (fresh.length > 0)
    experiments.open({
      id: experimentId,
      key: `import/${sha256}`,
      recipe: { importedFrom: sha256 },
      name: "",
      source: path,
      sourceSha256: sha256,
      changes: [],
    });
  const nPairs = fresh.filter((pair) => store.insert(pair) !== undefined).length;
  return { nPairs, nSkipped: rows.length - nPairs, warnings: describeLeftOut(file).map(({ message }) => message) };
}

/** A line that TRL's trainers read; a pair of token ids stays one. */
function trlLine({ question, messages, tokens, chosen, rejected }: PairWithProvenance) {
  if (tokens) return tokens;
  if (!messages) return { prompt: question, chosen, rejected };
  const answer = (content: string) => [{ role: "assistant", content }];
  return { prompt: messages, chosen: answer(chosen), rejected: answer(rejected) };
}

type ImportedPair = Omit<NewPair, "experimentId" | "ordinal" | "vector" | "events">;

/** Files of others say nothing of stage or origin: they come in as a round of a loss that needs no reference. */
const IMPORTED_STAGE = { stage: "orpo", stageIndex: 0, loss: "orpo" };

function rowOf(pair: FilePair): ImportedPair {
  // the provenance is kept as it was written; its known part has been checked
  if (pair.kind === "ledger") {
    const { stageIndex = 0, loss = pair.row.stage, provenance } = pair.row;
    return { ...pair.row, stageIndex, loss, provenance: provenance as unknown as Provenance };
  }
  const imported = {
    ...IMPORTED_STAGE,
    round: 0,
    status: "accepted" as const,
    filterReason: null,
    sources: [],
    provenance: UNKNOWN_ORIGIN,
  };
  if (pair.kind === "ids") {
    const { prompt, chosen, rejected } = pair.tokens;
    const count = (ids: number[]) => `(${ids.length} token ids)`;
    return {
      ...imported,
      question: count(prompt),
      chosen: count(chosen),
      rejected: count(rejected),
      thinking: [],
      markers: DEFAULT_MARKERS,
      messages: null,
      tokens: pair.tokens,
    };
  }
  const { messages, chosen, rejected } = pair;
  const markers = pair.markers ?? markersIn(chosen);
  return {
    ...imported,
    question: questionOf(messages),
    chosen,
    rejected,
    thinking: sectionsOf(parseResponse(chosen, markers).thinking),
    markers,
    messages: messages.length === 1 ? null : messages,
    tokens: null,
  };
}

function sectionsOf(thinking: string): ThinkingSection[] {
  const statements = thinking
    .split("\n")
    .map((line) => line.replace(/^- /, "").trim())
    .filter((line) => line !== "");
  return statements.length === 0 ? [] : [{ name: "Thinking", statements: statements.map(unsourced) }];
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
