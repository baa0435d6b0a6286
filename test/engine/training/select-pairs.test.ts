import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { selectPairs } from "../../../main/engine/training/select-pairs.ts";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import type { PairSelection } from "../../../main/shared/contract/job-types.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import { newDir, openWorkspace } from "../preference/support.ts";

let workspace: ReturnType<typeof openWorkspace>;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "preflexor-select-"));
  workspace = openWorkspace(undefined, newDir());
});
afterEach(async () => {
  await workspace.close();
  workspace.remove();
  rmSync(dir, { recursive: true, force: true });
});

const select = (selection: PairSelection) =>
  // selecting asks nothing but the ledger
  selectPairs({ preference: workspace.preference.api } as unknown as TrainingDeps, selection);

/** Pairs of an experiment of one round, made by the played teacher. */
async function generate(stage: string, count: number): Promise<string> {
  const input = { count, seed: 3, stage, recipe: "demo" };
  const { jobId } = await workspace.preference.handlers.generate(input, new AbortController().signal);
  await workspace.jobs.wait(jobId as JobId);
  const [row] = workspace.preference.api.allAccepted(stage);
  return workspace.preference.api.getPair(row!.id)!.provenance.experimentId;
}

test("a round gives its own accepted pairs and no others", async () => {
  const experimentId = await generate("orpo", 2);
  await generate("exo", 1);
  const { pairs, problems } = await select({ from: "round", experimentId, stage: "orpo", round: 0 });
  expect(problems).toEqual([]);
  const rows = workspace.preference.api.allAccepted("orpo");
  expect(pairs.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  expect(pairs[0]).toMatchObject({ kind: "text", chosen: rows[0]!.chosen, rejected: rows[0]!.rejected });
  await expect(select({ from: "round", experimentId, stage: "orpo", round: 1 })).rejects.toMatchObject({
    code: "VALIDATION_FAILED",
    hint: expect.stringContaining("pairs generate"),
  });
});

test("the ledger gives one stage's pairs, or all of them", async () => {
  await generate("orpo", 2);
  await generate("exo", 1);
  expect((await select({ from: "ledger", stage: "exo" })).pairs).toHaveLength(1);
  expect((await select({ from: "ledger" })).pairs).toHaveLength(3);
});

test("lines of texts and of token ids keep their kind and their place in the file", async () => {
  const path = join(dir, "pairs.jsonl");
  const lines = [
    { prompt: "Why?", chosen: "Because.", rejected: "No." },
    { id: "mine", prompt: [1, 2], chosen: [3, 4], rejected: [5] },
  ];
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const { pairs } = await select({ from: "file", path });
  expect(pairs).toMatchObject([
    { kind: "text", id: "line-1", messages: [{ role: "user", content: "Why?" }], chosen: "Because." },
    { kind: "ids", id: "mine", tokens: { prompt: [1, 2], chosen: [3, 4], rejected: [5] } },
  ]);
  await expect(select({ from: "file", path: join(dir, "none") })).rejects.toMatchObject({ code: "NOT_FOUND" });
});
