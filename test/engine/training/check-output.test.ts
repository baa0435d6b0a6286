import { copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { checkOutput, explainWriteError } from "../../../main/engine/training/check-output.ts";
import { REPOSITORY_DIR } from "../../harness/corpus-bench.ts";
import { TINY_MODEL_PATH } from "../../harness/test-engine.ts";

const dir = mkdtempSync(join(tmpdir(), "outputs-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const adapter = join(dir, "first.gguf");
copyFileSync(join(REPOSITORY_DIR, "test/fixtures/reference/adapter-init.gguf"), adapter);
const pairs = join(dir, "pairs.json");
writeFileSync(pairs, "[]");

const check = (adapterOut: string, given: { adapterIn?: string; lora?: unknown } = {}, free = 1e12) =>
  checkOutput(
    {
      adapterOut,
      modelPath: TINY_MODEL_PATH,
      adapterIn: given.adapterIn ?? null,
      pairsPath: pairs,
      workspaceDir: dir,
      settings: given.lora === undefined ? {} : { lora: given.lora },
    },
    async () => free,
  );

test("a new file, in a new folder too, and an earlier adapter may be written", async () => {
  await check(join(dir, "a/b/new.gguf"));
  await check(adapter);
  expect(existsSync(join(dir, "a/b"))).toBe(true);
});

test.each<[string, () => Promise<void>, RegExp]>([
  ["a folder", () => check(dir), /is a folder/],
  ["the model", () => check(TINY_MODEL_PATH), /over the model/],
  ["the adapter to start from", () => check(adapter, { adapterIn: adapter }), /over the adapter to start from/],
  ["the pairs, by the adapter's card", () => check(join(dir, "pairs.gguf")), /over the pairs file/],
  ["a file below a file", () => check(join(pairs, "x.gguf")), /is a file|no folder/],
])("refused before training: %s", async (_name, run, message) => {
  await expect(run()).rejects.toMatchObject({ code: "VALIDATION_FAILED", message: expect.stringMatching(message) });
});

test("refused: a link to the model, a file that is no adapter, a card's place that is taken", async () => {
  symlinkSync(TINY_MODEL_PATH, join(dir, "link.gguf"));
  await expect(check(join(dir, "link.gguf"))).rejects.toMatchObject({
    message: expect.stringContaining("over the model"),
  });
  writeFileSync(join(dir, "notes.txt"), "mine");
  await expect(check(join(dir, "notes.txt"))).rejects.toMatchObject({ message: expect.stringContaining("no adapter") });
  writeFileSync(join(dir, "results.json"), "{}");
  await expect(check(join(dir, "results.gguf"))).rejects.toMatchObject({
    message: expect.stringContaining("results.json"),
  });
});

test("a disk that cannot hold the adapter is named, with what is needed", async () => {
  await expect(check(join(dir, "big.gguf"), { lora: { r: 1000 } }, 1e6)).rejects.toMatchObject({
    code: "DISK_FULL",
    message: expect.stringMatching(new RegExp(`The disk of ${dir} has 1 MB left, and the adapter will take \\d+ MB`)),
    hint: expect.stringContaining(dir),
  });
});

test.each([
  ["attn_q", ["q"]],
  ["q_proj", ["q"]],
  ["ffn_down", ["down"]],
  ["down_proj", ["down"]],
])("a target counts by the trainer's other names, too: %s", async (name, targets) => {
  const neededFor = async (names: string[]) => {
    const refused = await check(join(dir, "big.gguf"), { lora: { r: 1000, targets: names } }, 0).catch(
      (error: unknown) => error,
    );
    return (refused as { details: { neededBytes: number } }).details.neededBytes;
  };
  expect(await neededFor([name])).toBe(await neededFor(targets));
  expect(await neededFor([name])).toBeLessThan(await neededFor([...targets, "k"]));
});

test.each([{ targets: "q,k" }, { targets: ["q", "elbow"] }, { r: "abc" }, { r: -1 }, 7])(
  "settings that are the trainer's to refuse (%j) make no claim on the disk",
  async (lora) => {
    await expect(check(join(dir, "odd.gguf"), { lora }, 0)).resolves.toBeUndefined();
  },
);

test.each([
  ["EROFS", "VALIDATION_FAILED", /can only be read/],
  ["EACCES", "VALIDATION_FAILED", /may not be written to/],
  ["ENOSPC", "DISK_FULL", /The disk of \/mnt\/usb is full/],
  ["EDQUOT", "DISK_FULL", /The disk of \/mnt\/usb is full/],
])("%s is said in words that name the place", (code, expected, message) => {
  const error = explainWriteError(Object.assign(new Error("raw"), { code }), "/mnt/usb");
  expect(error).toMatchObject({ code: expected, message: expect.stringMatching(message) });
});
