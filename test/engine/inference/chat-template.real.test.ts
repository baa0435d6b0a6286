import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createChatModels } from "../../../main/engine/inference/host/chat-model.ts";
import type { ChatTemplate } from "../../../main/engine/inference/host/chat-template.ts";
import type { ChatMessage } from "../../../main/engine/inference/index.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";

const fixturesDir = resolve(import.meta.dirname, "../../fixtures/chat-templates");

type Golden = {
  cases: { name: string; messages: ChatMessage[]; ids: number[] }[];
  asText: { messages: ChatMessage[]; ids: number[] };
  pairs: { messages: ChatMessage[]; response: string; ids: number[] }[];
};
const goldenOf = (name: string) => JSON.parse(readFileSync(join(fixturesDir, `golden-${name}.json`), "utf8")) as Golden;

const models = createChatModels();
afterAll(() => models.unload());

describe.each([
  ["smollm2", "<|im_end|>"],
  ["llama3", "<|eot_id|>"],
  ["gemma", "<end_of_turn>"],
  ["mistral", "</s>"],
  ["qwen3", "<|im_end|>"],
  ["r1", "<｜end▁of▁sentence｜>"],
])("the renderer with the template of %s", (name, endOfTurnText) => {
  const golden = goldenOf(name);
  let template: ChatTemplate;
  let modelPath = join(fixturesDir, `${name}.gguf`);

  beforeAll(async () => {
    if (name === "smollm2") modelPath = (await ensureDemoModels()).chatModelPath;
    template = (await models.load(modelPath)).template();
  });

  it.each(golden.cases)("gives the ids of apply_chat_template: $name", ({ messages, ids }) => {
    expect(template.encodePrompt(messages)).toEqual(ids);
  });

  it("keeps the texts of control tokens in a message as text", async () => {
    const ids = template.encodePrompt(golden.asText.messages);
    expect(ids).toEqual(golden.asText.ids);
    const { model } = await models.load(modelPath);
    const nControl = (messages: ChatMessage[]) =>
      template.encodePrompt(messages).filter((id) => model.getTokenAttributes(id).control).length;
    const harmless = golden.asText.messages.map((message) => ({ ...message, content: "text" }));
    expect(nControl(golden.asText.messages)).toBe(nControl(harmless));
  });

  it("takes the end of turn from the template", async () => {
    const { model } = await models.load(modelPath);
    expect(model.detokenize([template.endOfTurn], true)).toBe(endOfTurnText);
  });

  it.each(golden.pairs)("encodes prompt and response as one text: $response", ({ messages, response, ids }) => {
    const pair = template.encodePair(messages, response, "Something else.");
    const whole = ids.slice(0, ids.lastIndexOf(template.endOfTurn) + 1);
    expect([...pair.prompt, ...pair.chosen]).toEqual(whole);
    expect(pair.rejected.at(-1)).toBe(template.endOfTurn);
    const prompt = template.encodePrompt(messages);
    expect(prompt.slice(0, pair.prompt.length)).toEqual(pair.prompt);
  });

  it("goes on from a prefill as from any text", () => {
    const [{ messages, response }] = golden.pairs as [Golden["pairs"][number]];
    const { prompt, chosen } = template.encodePair(messages, response, "x");
    expect([...template.encodePrompt(messages, response), template.endOfTurn]).toEqual([...prompt, ...chosen]);
  });
});
