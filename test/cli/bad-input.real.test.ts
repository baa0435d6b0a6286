import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rootDir, runCli, runJson } from "../harness/cli.ts";
import { linesFromTop, makePdf } from "../harness/make-pdf.ts";
import { ensureDemoModels } from "../harness/model-cache.ts";

let dir: string;
beforeAll(() => (dir = mkdtempSync(join(tmpdir(), "bad-input-"))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const file = (name: string, content: string | Uint8Array) => {
  const path = join(dir, name);
  writeFileSync(path, content);
  return path;
};
const run = (...args: string[]) => runJson(["--workspace", join(dir, "workspace"), ...args]);
const text = () => linesFromTop(["A sentence that can be read.", "And one more of them."]);

test.each([
  ["not a PDF", () => file("notes.pdf", "these are notes"), "failed"],
  ["an empty file", () => file("empty.pdf", ""), "failed"],
  ["a damaged PDF", () => file("cut.pdf", makePdf([{ lines: text() }]).subarray(0, 60)), "failed"],
  ["an encrypted PDF", () => file("secret.pdf", makePdf([{ lines: text() }], { userPassword: "x" })), "failed"],
  ["a PDF without text", () => file("scan.pdf", makePdf([{ lines: [] }])), "needs_ocr"],
])("%s is named with a reason, and the command ends with 2", async (_, make, status) => {
  const path = make();
  const { code, json } = await run("import", path, "--no-embed");
  expect(code).toBe(2);
  expect(json).toMatchObject({ documents: [{ path, status, reason: expect.stringMatching(/\w{3}/) }] });
});

test("a bad file beside a good one does not fail the import", async () => {
  const good = file("good.pdf", makePdf([{ lines: text() }]));
  const { code, json } = await run("import", file("bad.pdf", "no"), good, "--no-embed");
  expect(code).toBe(0);
  expect((json as { documents: { status: string }[] }).documents.map((row) => row.status).toSorted()).toEqual([
    "failed",
    "ready",
  ]);
});

test("a path that does not exist is named", async () => {
  const { code, json } = await run("import", join(dir, "nowhere"));
  expect(code).toBe(2);
  expect(JSON.stringify(json)).toContain("nowhere");
});

test("GGUF files: missing is 3; no GGUF, cut and of an unknown architecture are 2, each by name", async () => {
  const { chatModelPath } = await ensureDemoModels();
  const whole = readFileSync(chatModelPath);
  expect(await run("models", "add", join(dir, "none.gguf"))).toMatchObject({
    code: 3,
    json: { error: { code: "MODEL_NOT_FOUND" } },
  });
  expect(await run("models", "add", file("text.gguf", "hello"))).toMatchObject({
    code: 2,
    json: { error: { code: "MODEL_INVALID" } },
  });
  const cut = file("cut.gguf", whole.subarray(0, whole.length / 2));
  expect(await run("models", "add", cut)).toMatchObject({ code: 2, json: { error: { code: "MODEL_INVALID" } } });
  const renamed = Buffer.from(whole);
  // the same length, so that every offset stays right
  for (let at = renamed.indexOf("llama"); at >= 0 && at < 4_000_000; at = renamed.indexOf("llama", at + 1))
    renamed.write("lhama", at);
  const strange = file("strange.gguf", renamed);
  const { json } = await run("models", "inspect", strange);
  expect(json).toMatchObject({
    architecture: "lhama",
    trainable: false,
    notTrainableReason: expect.stringContaining("lhama"),
  });
  const reflect = await run("reflect", "Why?", "--model", strange, "--iterations", "0");
  expect(reflect).toMatchObject({ code: 2, json: { error: { code: "MODEL_INCOMPATIBLE" } } });
  const pairs = file("pairs.jsonl", JSON.stringify({ prompt: "a", chosen: "b", rejected: "c" }));
  const train = await run(
    "train",
    "--stage",
    "orpo",
    "--model",
    strange,
    "--pairs",
    pairs,
    "--out",
    join(dir, "a.gguf"),
  );
  expect(train).toMatchObject({ code: 2, json: { error: { code: "MODEL_INCOMPATIBLE" } } });
}, 180_000);

test("wrong usage is 2, with one JSON document that says what", async () => {
  for (const args of [
    ["nonsense"],
    ["search"],
    ["pairs", "generate"],
    ["train", "--stage", "sft"],
    ["document", "not-an-id"],
  ]) {
    const { code, json } = await run(...args);
    expect(code, args.join(" ")).toBe(2);
    expect(json).toMatchObject({ error: { code: "VALIDATION_FAILED", message: expect.stringMatching(/\w/) } });
  }
});

test("pairs that cannot be read are named by line; none at all says what to do", async () => {
  const bad = file("bad.jsonl", '{"prompt":"a","chosen":"b","rejected":"c"}\n{"prompt":1}\n');
  const { chatModelPath } = await ensureDemoModels();
  const args = ["train", "--stage", "orpo", "--model", chatModelPath, "--out", join(dir, "b.gguf"), "--pairs"];
  const byLine = await run(...args, bad);
  expect(byLine).toMatchObject({ code: 2, json: { error: { message: expect.stringContaining("line 2") } } });
  const empty = await run(...args, "ledger");
  expect(empty).toMatchObject({ code: 2, json: { error: { hint: expect.stringContaining("pairs generate") } } });
});

test("an old Node is refused in words, before anything of the program is loaded", async () => {
  const hook =
    "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.19.0'}})";
  const { code, stdout } = await runCli(["--json", "jobs"], { env: { NODE_OPTIONS: `--import ${hook}` } });
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: "NODE_TOO_OLD", message: expect.stringContaining("20.19.0") },
  });
});

test("a second program on the same workspace is told so", async () => {
  const workspace = join(dir, "locked");
  const { lockWorkspace } = await import("../../main/engine/db/index.ts");
  const lock = lockWorkspace(workspace);
  expect(await runJson(["--workspace", workspace, "jobs"])).toMatchObject({
    code: 2,
    json: { error: { code: "WORKSPACE_LOCKED" } },
  });
  lock.release();
});

test("a full disk ends with DISK_FULL and exit 3, and the same command goes on when there is room", async ({
  skip,
}) => {
  const disk = join(dir, "disk");
  mkdirSync(disk);
  const mount = (...args: string[]) => spawnSync("mount", [...args, disk], { encoding: "utf8" });
  skip(mount("-t", "tmpfs", "-o", "size=1200k", "tmpfs").status !== 0, "mounting a small disk is not allowed here");
  try {
    const paper = join(rootDir, "resources/sample-corpus/05_metallic-glass-composites_SciRep2016.pdf");
    const args = ["--workspace", join(disk, "w"), "import", paper, "--no-embed"];
    expect(await runJson(args)).toMatchObject({ code: 3, json: { error: { code: "DISK_FULL" } } });
    mount("-o", "remount,size=60m");
    expect(await runJson(args)).toMatchObject({ code: 0, json: { documents: [{ status: "ready" }] } });
  } finally {
    spawnSync("umount", [disk]);
  }
});
