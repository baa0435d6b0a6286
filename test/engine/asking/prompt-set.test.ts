import { expect, test } from "vitest";
import { renderPrompt } from "../../../main/engine/asking/prompt-set.ts";

const task = {
  messages: [{ role: "user" as const, content: "Why is {{what}} tough?" }],
  sampler: { temperature: 0, maxTokens: 50 },
  retries: [
    { temperature: 0.5, minP: 0.1 },
    { temperature: 0.5, minP: 0.1, topK: 40 },
    { temperature: 0.5, topP: 0.9 },
  ],
};
const samplerOf = (attempt: number) => renderPrompt(task, { what: "nacre" }, 7, attempt).sampler;

test("with min-p the tokens that are sorted are bounded, which the recorded sampler says", () => {
  expect(samplerOf(1)).toEqual({ temperature: 0.5, minP: 0.1, topK: 1000, maxTokens: 50, seed: 7 });
});

test("a bound that a prompt names is kept, and where the bound could change texts there is none", () => {
  expect(samplerOf(2).topK).toBe(40);
  expect(samplerOf(0)).toEqual({ temperature: 0, maxTokens: 50, seed: 7 });
  expect(samplerOf(3)).toEqual({ temperature: 0.5, topP: 0.9, maxTokens: 50, seed: 7 });
});
