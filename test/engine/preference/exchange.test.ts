import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ThinkingSection } from "../../../main/shared/contract/preference.ts";
import type { JobId } from "../../../main/shared/ids.ts";
import { openWorkspace } from "./support.ts";

let from: ReturnType<typeof openWorkspace>;
let to: ReturnType<typeof openWorkspace>;
beforeEach(async () => {
  from = openWorkspace();
  to = openWorkspace();
  const { jobId } = await from.preference.handlers.generate({ count: 2, seed: 1 }, new AbortController().signal);
  await from.jobs.wait(jobId as JobId);
});
afterEach(async () => {
  for (const workspace of [from, to]) {
    await workspace.close();
    workspace.remove();
  }
});

const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("trl lines hold prompt, chosen and rejected, and nothing else", async () => {
  const path = join(from.dir, "pairs.jsonl");
  expect(await from.preference.api.exportPairs(path, "trl")).toEqual({ nPairs: 2 });
  const [row] = from.preference.api.allAccepted();
  expect(linesOf(path)[0]).toEqual({ prompt: row!.question, chosen: row!.chosen, rejected: row!.rejected });
});

test("ledger lines come back whole in another workspace, and only once", async () => {
  const path = join(from.dir, "pairs.jsonl");
  await from.preference.api.exportPairs(path, "jsonl");
  expect(await to.preference.api.importPairs(path)).toEqual({ nPairs: 2, nSkipped: 0, warnings: [] });
  expect(await to.preference.api.importPairs(path)).toEqual({ nPairs: 0, nSkipped: 2, warnings: [] });
  const essence = (workspace: typeof from) =>
    workspace.preference.api.allAccepted().map(({ createdAt: _createdAt, ordinal: _ordinal, ...pair }) => pair);
  expect(essence(to)).toEqual(essence(from));
  expect(await from.preference.api.importPairs(path)).toEqual({ nPairs: 0, nSkipped: 2, warnings: [] });
});

test("ledger lines of version 0.1.0, with statements as bare texts, come in as texts of unknown source", async () => {
  const path = join(from.dir, "pairs.jsonl");
  await from.preference.api.exportPairs(path, "jsonl");
  const old = linesOf(path).map(({ thinking, ...row }) => ({
    ...row,
    thinking: (thinking as ThinkingSection[]).map(({ name, statements }) => ({
      name,
      statements: statements.map(({ text }) => text),
    })),
  }));
  writeFileSync(path, old.map((row) => `${JSON.stringify(row)}\n`).join(""));
  await to.preference.api.importPairs(path);
  const [statement] = to.preference.api.allAccepted()[0]!.thinking[0]!.statements;
  expect(statement).toEqual({ text: expect.any(String), spans: null });
});

test("trl lines come in as accepted ORPO pairs, and only once", async () => {
  const path = join(from.dir, "pairs.jsonl");
  await from.preference.api.exportPairs(path, "trl");
  expect(await to.preference.api.importPairs(path)).toEqual({ nPairs: 2, nSkipped: 0, warnings: [] });
  expect(await to.preference.api.importPairs(path)).toEqual({ nPairs: 0, nSkipped: 2, warnings: [] });
  const [pair] = to.preference.api.allAccepted("orpo");
  expect(pair).toMatchObject({ status: "accepted", sources: [], provenance: { teacher: "imported" } });
  expect(pair!.thinking[0]!.statements.length).toBeGreaterThan(1);
});

test("a bad line is named, and nothing of the file is taken", async () => {
  const path = join(from.dir, "pairs.jsonl");
  await from.preference.api.exportPairs(path, "trl");
  writeFileSync(path, `${readFileSync(path, "utf8")}{"prompt":"Why?","chosen":""}\n`);
  await expect(to.preference.api.importPairs(path)).rejects.toMatchObject({
    code: "VALIDATION_FAILED",
    message: expect.stringMatching(/line 3 .*rejected/s),
  });
  expect(to.preference.api.allAccepted()).toEqual([]);
  await expect(to.preference.api.importPairs(join(from.dir, "none"))).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("conversations and token ids come in whole, go out whole, and know their markers", async () => {
  const path = join(from.dir, "chats.jsonl");
  const history = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "A?" },
    { role: "assistant", content: "B." },
    { role: "user", content: "C?" },
  ];
  const chat = { chosen: [...history, answer("<think>\nd\n</think>\n\nD.")], rejected: [...history, answer("E.")] };
  const tokens = { prompt: [1, 2], chosen: [3], rejected: [4] };
  writeFileSync(path, [chat, { ...tokens, id: 3, more: true }].map((line) => JSON.stringify(line)).join("\n"));
  expect(await to.preference.api.importPairs(path)).toEqual({ nPairs: 2, nSkipped: 0, warnings: [] });
  const [first, second] = to.preference.api.allAccepted("orpo");
  expect(first).toMatchObject({
    question: "C?",
    messages: history,
    chosen: "<think>\nd\n</think>\n\nD.",
    markers: { thinkingOpen: "<think>", thinkingClose: "</think>" },
    thinking: [{ statements: [{ text: "d", spans: null }] }],
  });
  expect(second).toMatchObject({ tokens });

  for (const format of ["jsonl", "trl"] as const) {
    await to.preference.api.exportPairs(path, format);
    const again = openWorkspace();
    expect(await again.preference.api.importPairs(path)).toEqual({ nPairs: 2, nSkipped: 0, warnings: [] });
    expect(again.preference.api.allAccepted()).toMatchObject([
      { messages: history, chosen: first!.chosen },
      { tokens },
    ]);
    await again.close();
    again.remove();
  }
});

function answer(content: string) {
  return { role: "assistant", content };
}
