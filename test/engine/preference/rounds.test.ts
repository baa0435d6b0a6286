import { DEFAULT_MARKERS } from "../../../main/shared/markers.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { closeDatabase, openDatabase } from "../../../main/engine/db/index.ts";
import { createExperimentStore } from "../../../main/engine/preference/experiment-store.ts";
import { createPreferenceStore } from "../../../main/engine/preference/preference-store.ts";
import type { Provenance } from "../../../main/engine/preference/generate/provenance.ts";

test("rounds are counted through all stages in the order in which they began", () => {
  const dir = mkdtempSync(join(tmpdir(), "rounds-"));
  const db = openDatabase(dir);
  let now = 1000;
  const store = createPreferenceStore(db, () => now++);
  const experiment = { id: "e", key: "k", recipe: {}, name: "", source: null, sourceSha256: null, changes: [] };
  createExperimentStore(db, () => now++).open(experiment);
  const insert = (stage: string, round: number, ordinal: number) =>
    store.insert({
      experimentId: "e",
      stage,
      stageIndex: 0,
      loss: "orpo",
      round,
      ordinal,
      question: "",
      chosen: "c",
      rejected: "r",
      thinking: [],
      markers: DEFAULT_MARKERS,
      messages: null,
      tokens: null,
      sources: [],
      events: [],
      status: "accepted",
      filterReason: null,
      vector: null,
      provenance: {} as Provenance, // not read here
    })!;
  const pairs = [
    insert("orpo", 0, 0),
    insert("orpo", 0, 1),
    insert("orpo", 1, 0),
    insert("second", 0, 0),
    insert("second", 1, 0),
  ];
  expect(pairs.map((pair) => store.nEarlierRounds(pair.id))).toEqual([0, 0, 1, 2, 3]);
  closeDatabase(db);
  rmSync(dir, { recursive: true, force: true });
});
