import { join } from "node:path";
import { expect, test } from "vitest";
import { encodePairs } from "../../../main/engine/training/encode-pairs.ts";
import { type SelectedPair, selectPairs } from "../../../main/engine/training/select-pairs.ts";
import type { TrainingDeps } from "../../../main/engine/training/deps.ts";
import type { Mask } from "../../../main/shared/mask.ts";
import { AppError } from "../../../main/shared/errors.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";

const cases = join(import.meta.dirname, "../../fixtures/training-cases");
const runner = createScriptedRunner(() => "");
// a file asks nothing of the ledger
const deps = { runner } as unknown as TrainingDeps;
const { signal } = new AbortController();

const pairsOf = (name: string) => selectPairs(deps, { from: "file", path: join(cases, name) });
const encode = (pairs: SelectedPair[], mask: Mask, maxLength = 2048) =>
  encodePairs(deps, { modelPath: "m.gguf", pairs, mask, maxLength }, signal);
const carrying = (ids: number[], mask: (0 | 1)[] | undefined) =>
  runner.textOf(ids.filter((_, i) => mask?.[i] !== 0)).replace("<end>", "");

test("nested thinking and a model's own carry no loss under answer_only, the answer does", async () => {
  const { pairs } = await pairsOf("nested.jsonl");
  const { lines, problems } = await encode(pairs, "answer_only");
  expect(carrying(lines[0]!.chosen, lines[0]!.chosen_mask)).toBe("The answer is C.");
  expect(carrying(lines[0]!.rejected, lines[0]!.rejected_mask)).toBe("Pores are holes.");
  expect(problems).toEqual([]);
});

test("thinking that never ends is refused with its count, whatever the mask", async () => {
  const unclosed = await pairsOf("unclosed.jsonl");
  for (const mask of ["answer_only", "none", { thinking_fraction: 0.5 }] as const) {
    await expect(encode(unclosed.pairs, mask)).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      message: expect.stringMatching(/1 of 1 pairs dropped: .* thinking never ends/),
    });
  }
  const mixed = [...unclosed.pairs, ...(await pairsOf("ok.jsonl")).pairs];
  const { lines, problems } = await encode(mixed, "answer_only");
  expect(lines).toHaveLength(1);
  expect(problems).toMatchObject([{ kind: "thinking_unclosed", n: 1, of: 2, isDropped: true }]);
});

test("a pair whose prompt alone fills max_length is dropped and counted", async () => {
  const { pairs } = await pairsOf("longprompt.jsonl");
  expect(pairs).toHaveLength(2);
  const { lines, problems } = await encode(pairs, "none", 512);
  expect(lines).toHaveLength(1);
  expect(problems).toMatchObject([
    { n: 1, of: 2, message: expect.stringMatching(/^1 of 2 pairs dropped: the prompt alone .*max_length is 512/) },
  ]);
});

test("a mask without thinking to work on is counted and the pair kept, whole", async () => {
  const plain = { kind: "text" as const, messages: [{ role: "user" as const, content: "Why?" }], rejected: "No." };
  const [ok] = (await pairsOf("ok.jsonl")).pairs;
  const { markers } = ok as SelectedPair & { kind: "text" };
  const { lines, problems } = await encode([ok!, { ...plain, id: "a", chosen: "So.", markers }], "answer_only");
  expect(lines).toHaveLength(2);
  expect(lines[1]!.chosen_mask).toEqual([1, 1]);
  expect(problems).toMatchObject([{ kind: "chosen_without_thinking", n: 1, of: 2, isDropped: false }]);
});

test("token ids keep their own masks; without one, under a mask, that is counted", async () => {
  const tokens = { prompt: [1], chosen: [2, 3], rejected: [4] };
  const masked = { ...tokens, chosen_mask: [0, 1] as (0 | 1)[] };
  const pairs: SelectedPair[] = [
    { kind: "ids", id: "a", tokens },
    { kind: "ids", id: "b", tokens: masked },
  ];
  const { lines, problems } = await encode(pairs, "answer_only");
  expect(lines).toEqual([
    { id: "a", ...tokens },
    { id: "b", ...masked },
  ]);
  expect(problems).toMatchObject([{ kind: "tokens_without_mask", n: 1, of: 2 }]);
  expect((await encode(pairs, "none")).problems).toEqual([]);
});

test("a conversation that the model's template refuses is dropped with its reason, a question alone is not", async () => {
  const refusing = createScriptedRunner(() => "");
  const { encodePair } = refusing;
  refusing.encodePair = async (input) => {
    if (input.messages[0]!.role === "user") return encodePair(input);
    throw new AppError("MODEL_INCOMPATIBLE", "System role not supported");
  };
  const [ok] = (await pairsOf("ok.jsonl")).pairs as (SelectedPair & { kind: "text" })[];
  const withSystem = { ...ok!, id: "s", messages: [{ role: "system" as const, content: "S" }, ...ok!.messages] };
  const input = { modelPath: "m.gguf", pairs: [ok!, withSystem], mask: "none" as const, maxLength: 512 };
  const { lines, problems } = await encodePairs({ runner: refusing }, input, signal);
  expect(lines).toHaveLength(1);
  expect(problems).toMatchObject([
    { kind: "template_refuses", n: 1, of: 2, message: expect.stringMatching(/System role not supported.* It is s\.$/) },
  ]);
});
