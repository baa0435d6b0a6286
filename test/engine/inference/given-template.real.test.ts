import { resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createModelRunner } from "../../../main/engine/inference/index.ts";
import { startTestHost } from "../../harness/model-host.ts";

/** A real model file without a chat template, as base models are. */
const bare = resolve(import.meta.dirname, "../../fixtures/reference/model-f32.gguf");
const template =
  "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
const pair = {
  modelPath: bare,
  messages: [{ role: "user" as const, content: "Why?" }],
  chosen: "So.",
  rejected: "No.",
};

let host: ReturnType<typeof startTestHost>["host"];
beforeAll(() => void ({ host } = startTestHost()));
afterAll(() => host.stop());

test("without a template a model cannot be asked, and the error says how to give it one", async () => {
  await expect(createModelRunner(host).encodePair(pair)).rejects.toMatchObject({
    code: "MODEL_INCOMPATIBLE",
    hint: expect.stringContaining("--chat-template"),
  });
});

test("with a given template the same file is asked and encoded by it", async () => {
  const runner = createModelRunner(
    host,
    async () => false,
    (path) => (path === bare ? template : undefined),
  );
  const encoded = await runner.encodePair(pair);
  const longer = createModelRunner(
    host,
    async () => false,
    () => `Please answer. ${template}`,
  );
  expect((await longer.encodePair(pair)).prompt.length).toBeGreaterThan(encoded.prompt.length);
  expect(encoded.chosen.at(-1)).toBe(2); // the end of text of this vocabulary
  const sampler = { temperature: 0, seed: 1, maxTokens: 3 };
  const { messages } = pair;
  const result = await runner.generate({ modelPath: bare, adapterPath: null, messages, sampler }, () => {});
  expect(result.nPromptTokens).toBe(encoded.prompt.length);
});
