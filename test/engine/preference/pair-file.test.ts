import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { describeLeftOut, readPairFile } from "../../../main/engine/preference/index.ts";

const cases = join(import.meta.dirname, "../../fixtures/training-cases");
const dir = mkdtempSync(join(tmpdir(), "pair-files-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let nFiles = 0;
function fileOf(content: string | Uint8Array): string {
  const path = join(dir, `pairs-${nFiles++}.jsonl`);
  writeFileSync(path, content);
  return path;
}
const read = (content: string | Uint8Array) => readPairFile(fileOf(content));
const readOne = async (line: unknown) => {
  const { pairs } = await read(JSON.stringify(line));
  expect(pairs).toHaveLength(1);
  const { where: _where, ...pair } = pairs[0]!;
  return pair;
};

const user = (content: string) => ({ role: "user", content });
const assistant = (content: string) => ({ role: "assistant", content });
const system = (content: string) => ({ role: "system", content });
const Q = "How does pore size change ion transport in a carbon anode?";
const THOUGHT = "<|thinking|>\nSmall pores slow ions down.\n<|/thinking|>\nWider pores let ions move faster.";

test.each(["ok.jsonl", "bom.jsonl", "implicit.jsonl", "ultrafeedback.jsonl"])(
  "%s gives the same pair",
  async (name) => {
    const { pairs, leftOut } = await readPairFile(join(cases, name));
    expect(leftOut).toEqual([]);
    expect(pairs).toMatchObject([{ kind: "text", messages: [user(Q)], chosen: THOUGHT, rejected: "Pores are holes." }]);
  },
);

const plain = { messages: [user("Why?")], chosen: "So.", rejected: "No." };
const turns = {
  messages: [system("Be brief."), user("A?"), assistant("B."), user("C?")],
  chosen: "D.",
  rejected: "E.",
};
const history = turns.messages;

describe("forms in which data sets keep a pair", () => {
  test.each<[string, unknown, object]>([
    ["texts", { prompt: "Why?", chosen: "So.", rejected: "No." }, plain],
    ["prompt as messages", { prompt: [user("Why?")], chosen: [assistant("So.")], rejected: [assistant("No.")] }, plain],
    ["prompt as messages, sides as texts", { prompt: [user("Why?")], chosen: "So.", rejected: "No." }, plain],
    [
      "prompt as text, sides as messages",
      { prompt: "Why?", chosen: [assistant("So.")], rejected: [assistant("No.")] },
      plain,
    ],
    [
      "prompt as messages, and again in both sides",
      { prompt: [user("Why?")], chosen: [user("Why?"), assistant("So.")], rejected: [user("Why?"), assistant("No.")] },
      plain,
    ],
    [
      "prompt as text, system turn in the sides only",
      {
        prompt: "Why?",
        chosen: [system("S"), user("Why?"), assistant("So.")],
        rejected: [system("S"), user("Why?"), assistant("No.")],
      },
      { ...plain, messages: [system("S"), user("Why?")] },
    ],
    [
      "system turn in the prompt only",
      {
        prompt: [system("S"), user("Why?")],
        chosen: [user("Why?"), assistant("So.")],
        rejected: [user("Why?"), assistant("No.")],
      },
      { ...plain, messages: [system("S"), user("Why?")] },
    ],
    [
      "several turns, no prompt",
      { chosen: [...history, assistant("D.")], rejected: [...history, assistant("E.")] },
      turns,
    ],
    [
      "several turns, prompt as the last question",
      { prompt: "C?", chosen: [...history, assistant("D.")], rejected: [...history, assistant("E.")] },
      turns,
    ],
    [
      "several turns, prompt as the first question (UltraFeedback)",
      { prompt: "A?", chosen: [...history, assistant("D.")], rejected: [...history, assistant("E.")] },
      turns,
    ],
    [
      "ShareGPT",
      {
        conversations: [{ from: "human", value: "Why?" }],
        chosen: { from: "gpt", value: "So." },
        rejected: { from: "gpt", value: "No." },
      },
      plain,
    ],
    [
      "Orca",
      { system: "S", question: "Why?", chosen: "So.", rejected: "No." },
      { ...plain, messages: [system("S"), user("Why?")] },
    ],
    ["Argilla", { instruction: "Why?", chosen_response: "So.", rejected_response: "No." }, plain],
    [
      "Alpaca",
      { instruction: "Sum up.", input: "Text.", chosen: "So.", rejected: "No." },
      { ...plain, messages: [user("Sum up.\nText.")] },
    ],
    [
      "OpenAI",
      {
        input: { messages: [user("Why?")] },
        preferred_output: [assistant("So.")],
        non_preferred_output: [{ role: "assistant", content: [{ type: "text", text: "No." }] }],
      },
      plain,
    ],
    [
      "HH-RLHF",
      {
        chosen: "\n\nHuman: A?\n\nAssistant: B.\n\nHuman: C?\n\nAssistant: D.",
        rejected: "\n\nHuman: A?\n\nAssistant: B.\n\nHuman: C?\n\nAssistant: E.",
      },
      { ...turns, messages: history.slice(1) },
    ],
    [
      "HH-RLHF with its prompt apart",
      { prompt: "\n\nHuman: Why?\n\nAssistant:", chosen: " So.", rejected: " No." },
      plain,
    ],
    ["the prompt again before each answer", { prompt: "Why?", chosen: "Why? So.", rejected: "Why? No." }, plain],
    [
      "TRL's implicit prompt",
      { chosen: "The sky is blue.", rejected: "The sky is green." },
      { messages: [user("The sky is")], chosen: "blue.", rejected: "green." },
    ],
  ])("%s", async (_name, line, pair) => {
    expect(await readOne({ extra: { keys: ["may", "be"] }, score_chosen: 8, ...(line as object) })).toMatchObject(pair);
  });

  test("token ids, with or without id and masks", async () => {
    const tokens = { prompt: [1, 2], chosen: [3, 4], rejected: [5] };
    expect(await readOne(tokens)).toEqual({ kind: "ids", id: null, tokens });
    expect(await readOne({ ...tokens, id: 7, chosen_mask: [0, 1], note: "x" })).toEqual({
      kind: "ids",
      id: "7",
      tokens: { ...tokens, chosen_mask: [0, 1] },
    });
  });

  test("an id may be a number", async () => {
    expect(await readOne({ id: 12, prompt: "Why?", chosen: "So.", rejected: "No." })).toMatchObject({ id: "12" });
  });
});

describe("files", () => {
  const lines = [
    { prompt: "A?", chosen: "B.", rejected: "C." },
    { prompt: "D?", chosen: "É.", rejected: "F." },
  ];
  const jsonl = lines.map((line) => JSON.stringify(line)).join("\n");
  const utf16 = (text: string, isBig: boolean) => {
    const bytes = Buffer.from(text, "utf16le");
    return isBig ? bytes.swap16() : bytes;
  };
  test.each<[string, string | Uint8Array]>([
    ["lines with CRLF, an empty one and no end", `\n${jsonl.replace("\n", "\r\n\r\n")}`],
    ["a byte order mark before each part of a joined file", `\uFEFF${jsonl.replace("\n", "\n\uFEFF")}`],
    ["UTF-16, little end first", utf16(`\uFEFF${jsonl}`, false)],
    ["UTF-16, big end first", utf16(`\uFEFF${jsonl}`, true)],
    ["UTF-16 without a mark", utf16(jsonl, false)],
    ["gzip", gzipSync(jsonl)],
    ["a list", JSON.stringify(lines)],
    ["a list over many lines", JSON.stringify(lines, null, 2)],
    ["objects over many lines", lines.map((line) => JSON.stringify(line, null, 2)).join("\n")],
    ["a list in an object", JSON.stringify({ version: 1, data: lines })],
    ["rows of a dataset server", JSON.stringify({ rows: lines.map((row, row_idx) => ({ row_idx, row })) })],
    ["Python's NaN", jsonl.replaceAll("}", `,"score":NaN,"text":"is NaN"}`)],
  ])("%s", async (_name, content) => {
    const { pairs } = await read(content);
    expect(pairs.map((pair) => pair.kind === "text" && pair.chosen)).toEqual(["B.", "É."]);
  });

  test("equal sides and repeated pairs are left out, counted and named; a file of nothing else is refused", async () => {
    const same = { prompt: "X?", chosen: "Y.", rejected: " Y.\n" };
    const file = await read([lines[0], same, lines[1], lines[0]].map((line) => JSON.stringify(line)).join("\n"));
    expect(file.pairs).toHaveLength(2);
    expect(describeLeftOut(file).map(({ message }) => message)).toEqual([
      expect.stringMatching(/^1 of 4 pairs dropped: chosen and rejected are the same\. See .*line 2\.$/),
      expect.stringMatching(/^1 of 4 pairs dropped: the same pair stands further up\. See .*line 4\.$/),
    ]);
    await expect(readPairFile(join(cases, "same.jsonl"))).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      message: expect.stringMatching(/same\.jsonl, line 1: chosen and rejected are the same/),
    });
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ["a side that is missing", '{"prompt":"Why?","chosen":"So."}', /line 1 .*rejected is missing/],
    ["an empty side", `${jsonl}\n{"prompt":"Why?","chosen":"So.","rejected":" "}`, /line 3 .*rejected is empty/],
    [
      "an empty answer in a message",
      JSON.stringify({ prompt: "Why?", chosen: [assistant("")], rejected: "No." }),
      /chosen is empty/,
    ],
    ["no prompt to be found", '{"chosen":"So.","rejected":"No."}', /prompt is missing/],
    ["not JSON", `${jsonl}\n{"prompt":"Why?",`, /line 3 is not JSON/],
    ["a list that breaks off", `[${JSON.stringify(lines[0])},\n{"prompt":`, /line 2 is not JSON/],
    [
      "a line in a list",
      JSON.stringify([lines[0], { prompt: "x" }], null, 1),
      /line 7 .*chosen is missing, rejected is missing/,
    ],
    [
      "a tool's turn",
      JSON.stringify({ prompt: [user("a"), { role: "tool", content: "b" }], chosen: "c", rejected: "d" }),
      /message 2 of prompt is a tool's turn/,
    ],
    [
      "a call of a tool",
      JSON.stringify({ prompt: "a", chosen: [{ role: "assistant", content: null, tool_calls: [{}] }], rejected: "d" }),
      /chosen is a tool's turn/,
    ],
    [
      "an unknown role",
      JSON.stringify({ prompt: [{ role: "critic", content: "a" }], chosen: "c", rejected: "d" }),
      /unknown role "critic"/,
    ],
    [
      "an image",
      JSON.stringify({ prompt: [{ role: "user", content: [{ type: "image" }] }], chosen: "c", rejected: "d" }),
      /something else than text/,
    ],
    [
      "a conversation that ends with the user",
      JSON.stringify({ chosen: [user("a"), assistant("b"), user("c")], rejected: [user("a"), assistant("b")] }),
      /last message of chosen/,
    ],
    [
      "conversations that part before the answer",
      JSON.stringify({ chosen: [user("a"), assistant("b")], rejected: [user("z"), assistant("c")] }),
      /differ before the last answer/,
    ],
    ["token ids beside texts", '{"prompt":[1,2],"chosen":"a","rejected":[3]}', /chosen is no list of token ids/],
    [
      "a mask of another length",
      '{"prompt":[1],"chosen":[2,3],"rejected":[4],"chosen_mask":[1]}',
      /chosen_mask has 1 entries for the 2 tokens/,
    ],
    ["single answers with a label", '{"prompt":"a","completion":"b","label":true}', /chosen is missing/],
    ["Parquet", Buffer.from("PAR1...."), /is a Parquet file/],
    ["Latin-1", Buffer.from('{"prompt":"é"}', "latin1"), /not a text in UTF-8/],
    ["nothing", " \n", /is empty/],
  ])("what is wrong is named: %s", async (_name, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      message: expect.stringMatching(message),
    });
  });

  test("a file that is not there, and a folder", async () => {
    await expect(readPairFile(join(dir, "none"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(readPairFile(dir)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("folder"),
    });
  });
});
