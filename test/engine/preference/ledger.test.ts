import { afterEach, beforeEach, expect, test } from "vitest";
import { createExperimentStore } from "../../../main/engine/preference/experiment-store.ts";
import {
  createPreferenceStore,
  type NewPair,
  type PreferenceStore,
} from "../../../main/engine/preference/preference-store.ts";
import { openWorkspace } from "./support.ts";

let workspace: ReturnType<typeof openWorkspace>;
let store: PreferenceStore;
beforeEach(() => {
  workspace = openWorkspace();
  store = createPreferenceStore(workspace.db, Date.now);
  const experiment = { id: "e", key: "k", recipe: {}, name: "", source: null, sourceSha256: null, changes: [] };
  createExperimentStore(workspace.db, Date.now).open(experiment);
  for (const [stage, loss] of STAGES) store.insert(pairOf(stage, loss));
});
afterEach(async () => {
  await workspace.close();
  workspace.remove();
});

const STAGES = [
  ["form", "orpo"],
  ["orpo", "simpo"],
  ["anchored", "dpo + 0.2 sft"],
  ["robust-dpo", "robust"],
] as const;

function pairOf(stage: string, loss: string): NewPair {
  const texts = { question: "", chosen: "c", rejected: "r", thinking: [], sources: [], events: [] };
  const rest = { filterReason: null, vector: null, markers: null, messages: null, tokens: null, provenance: {} };
  // columns of which this test reads none
  return {
    ...texts,
    ...rest,
    experimentId: "e",
    stage,
    stageIndex: 0,
    loss,
    round: 0,
    ordinal: 0,
    status: "accepted",
  } as unknown as NewPair;
}

const stagesOf = (filter: { stage?: string; loss?: "orpo" | "dpo" | "sft" | "simpo" }) =>
  store.accepted({ stage: null, loss: null, ...filter }).map(({ stage }) => stage);

test("a stage is found by its name, and by its loss's", () => {
  expect(stagesOf({ stage: "form" })).toEqual(["form"]);
  expect(stagesOf({ stage: "orpo" })).toEqual(["form", "orpo"]);
  // a part of a word is no name
  expect(stagesOf({ stage: "dpo" })).toEqual(["anchored"]);
});

test("a loss is found within a sum, and not by the name of a stage", () => {
  expect(stagesOf({ loss: "orpo" })).toEqual(["form"]);
  expect(stagesOf({ loss: "sft" })).toEqual(["anchored"]);
  expect(stagesOf({ loss: "simpo", stage: "orpo" })).toEqual(["orpo"]);
  expect(store.count({ stage: null, loss: "dpo", status: null })).toBe(1);
});
