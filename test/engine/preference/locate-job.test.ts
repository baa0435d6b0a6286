import { expect, test } from "vitest";
import type { PairRow, ThinkingSection } from "../../../main/shared/contract/preference.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import { goodScript, openWorkspace } from "./support.ts";

const withoutSpans = (thinking: ThinkingSection[]): ThinkingSection[] =>
  thinking.map(({ name, statements }) => ({ name, statements: statements.map(({ text }) => ({ text, spans: null })) }));

test("pairs of an earlier version are given the sentences they rest on, once, and the graph hears of it", async () => {
  let workspace = openWorkspace();
  const { jobId } = await workspace.preference.handlers.generate({ count: 2, seed: 3 }, new AbortController().signal);
  await workspace.jobs.wait(jobId as JobId);
  const before = workspace.preference.api.allAccepted();
  const update = workspace.db.prepare("UPDATE preference_pair SET thinking = @thinking, is_located = 0 WHERE id = @id");
  for (const { id, thinking } of before) update.run({ id, thinking: JSON.stringify(withoutSpans(thinking)) });
  await workspace.close();

  workspace = openWorkspace(goodScript, workspace.dir);
  expect(workspace.preference.api.allAccepted()[0]!.thinking).toEqual(withoutSpans(before[0]!.thinking));
  workspace.preference.api.locateEarlierPairs();
  workspace.preference.api.locateEarlierPairs();
  const [job, ...others] = workspace.jobs.list(10).filter(({ type }) => type === "preference.locate");
  expect(others).toEqual([]);
  await workspace.jobs.wait(job!.id);
  const after = workspace.preference.api.allAccepted();
  expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  const steps = (row: PairRow) => row.thinking.find(({ name }) => name === "Reasoning Steps")!.statements;
  // the fixture's steps are the sentences themselves
  for (const [i, row] of after.entries()) expect(steps(row)).toEqual(steps(before[i]!));
  expect(workspace.followedUp.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  for (const row of workspace.followedUp) expect(steps(row)[0]!.spans).toHaveLength(1);
  await workspace.close();
  workspace.remove();
});
