import { join } from "node:path";
import { expect, test } from "vitest";
import type { PairRow, ThinkingSection } from "../../../main/shared/contract/preference.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import { goodScript, openWorkspace } from "./support.ts";

const withoutSpans = (thinking: ThinkingSection[]): ThinkingSection[] =>
  thinking.map(({ name, statements }) => ({ name, statements: statements.map(({ text }) => ({ text, spans: null })) }));

type Workspace = ReturnType<typeof openWorkspace>;

async function generate({ preference, jobs }: Workspace): Promise<void> {
  const { jobId } = await preference.handlers.generate({ count: 2, seed: 3 }, new AbortController().signal);
  await jobs.wait(jobId as JobId);
}

/** As a version without spans has left the pairs. */
function forgetSpans({ preference, db }: Workspace): void {
  const update = db.prepare("UPDATE preference_pair SET thinking = @thinking, is_located = 0 WHERE id = @id");
  for (const { id, thinking } of preference.api.allAccepted())
    update.run({ id, thinking: JSON.stringify(withoutSpans(thinking)) });
}

test("pairs of an earlier version are given the sentences they rest on, once, and the graph hears of it", async () => {
  let workspace = openWorkspace();
  await generate(workspace);
  const before = workspace.preference.api.allAccepted();
  forgetSpans(workspace);
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

test("imported pairs, which no recipe has made, are left without sentences, and those after them are located", async () => {
  const [others, workspace] = [openWorkspace(), openWorkspace()];
  await generate(others);
  const file = join(others.dir, "pairs.jsonl");
  await others.preference.api.exportPairs(file, "jsonl");
  await workspace.preference.api.importPairs(file);
  const imported = workspace.preference.api.allAccepted().map(({ id }) => id);
  await generate(workspace);
  forgetSpans(workspace);
  workspace.preference.api.locateEarlierPairs();
  const job = workspace.jobs.list(10).find(({ type }) => type === "preference.locate");
  expect(await workspace.jobs.wait(job!.id)).toMatchObject({ progress: { n: 4, total: 4 } });
  const all = workspace.preference.api.allAccepted();
  const isLocated = all.map(({ thinking }) => thinking.some(({ statements }) => statements.some(({ spans }) => spans)));
  expect(isLocated).toEqual([false, false, true, true]);
  expect(all.slice(0, 2).map(({ id }) => id)).toEqual(imported);
  expect(workspace.db.prepare("SELECT COUNT(*) AS n FROM preference_pair WHERE is_located = 0").get()).toEqual({
    n: 0,
  });
  for (const each of [others, workspace]) {
    await each.close();
    each.remove();
  }
});
