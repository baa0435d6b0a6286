import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateRequest } from "../../../main/engine/inference/index.ts";
import { isAppError } from "../../../main/shared/errors.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";
import { startTestHost } from "../../harness/model-host.ts";

const { host, runner, kill } = startTestHost();
let request: GenerateRequest;

beforeAll(async () => {
  const { chatModelPath } = await ensureDemoModels();
  const messages = [{ role: "user" as const, content: "Write a long story about spider silk." }];
  const sampler = { temperature: 0.8, seed: 11, maxTokens: 40 };
  request = { modelPath: chatModelPath, adapterPath: null, messages, sampler };
});
afterAll(() => host.stop());

const generate = (changes: Partial<GenerateRequest["sampler"]> = {}, more: Partial<GenerateRequest> = {}) =>
  runner.generate({ ...request, ...more, sampler: { ...request.sampler, ...changes } }, () => {});

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

describe("generation", () => {
  it("repeats exactly with the same seed, whatever ran in between", async () => {
    const first = await generate();
    await generate({ seed: 12, maxTokens: 10 });
    await generate({ temperature: 0, maxTokens: 5 }, { messages: [{ role: "user", content: "Write a long story." }] });
    expect((await generate()).text).toBe(first.text);
    expect((await generate({ seed: 12 })).text).not.toBe(first.text);
  });

  it("repeats exactly in another process", async () => {
    const other = startTestHost();
    const theirs = await other.runner.generate(request, () => {});
    await other.host.stop();
    expect((await generate()).text).toBe(theirs.text);
  });

  it("with min-p a top-k of 1,000 leaves texts as they are", async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const content = `Write a story about material number ${seed}.`;
      const asked: Partial<GenerateRequest> = { messages: [{ role: "user", content }] };
      const sampler = { temperature: 0.8, minP: 0.05, seed, maxTokens: 30 };
      const { text } = await generate(sampler, asked);
      expect((await generate({ ...sampler, topK: 1000 }, asked)).text, content).toBe(text);
    }
  });

  it("is greedy at temperature 0: the seed plays no part", async () => {
    expect((await generate({ temperature: 0, seed: 1 })).text).toBe((await generate({ temperature: 0, seed: 2 })).text);
  });

  it("gives the same text after a larger context was needed", async () => {
    const before = await generate({ temperature: 0 });
    const long = "Silk is strong. ".repeat(550);
    await generate({ maxTokens: 1 }, { messages: [{ role: "user", content: long }] });
    expect((await generate({ temperature: 0 })).text).toBe(before.text);
  });

  it("streams exactly the text that it returns", async () => {
    let streamed = "";
    const result = await runner.generate(request, (text) => (streamed += text));
    expect(streamed).toBe(result.text);
    expect(result.nTokens).toBe(40);
    expect(result.stopReason).toBe("max_tokens");
  });

  it("ends before a stop text and does not show it", async () => {
    const whole = await generate({ temperature: 0 });
    const stop = whole.text.slice(20, 26);
    const cut = await generate({ temperature: 0, stop: [stop] });
    expect(cut.stopReason).toBe("stop_text");
    expect(cut.text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
  });

  it("goes on from the prefill without repeating it", async () => {
    const { text } = await generate({ temperature: 0, maxTokens: 12 }, { prefill: "One two three four five six" });
    expect(text.toLowerCase()).toContain("seven");
  });

  it("DRY and the repeat penalty change a looping text", async () => {
    const prefill = "The silk is strong and light, and ".repeat(6);
    const looping = { messages: [{ role: "user" as const, content: "Write about silk." }], prefill };
    const plain = await generate({ temperature: 0, maxTokens: 70 }, looping);
    const dry = await generate({ temperature: 0, maxTokens: 70, dry: { strength: 0.8, allowedLength: 4 } }, looping);
    const penalised = await generate({ temperature: 0, maxTokens: 70, repeatPenalty: 1.3 }, looping);
    const nLoops = (text: string) => text.split("light, and").length - 1;
    expect(nLoops(plain.text)).toBeGreaterThanOrEqual(7);
    expect(nLoops(dry.text)).toBeLessThan(nLoops(plain.text));
    expect(nLoops(penalised.text)).toBeLessThan(nLoops(plain.text));
  });

  it("writes JSON that fits the schema", async () => {
    const jsonSchema = {
      type: "object",
      properties: {
        title: { type: "string", maxLength: 40 },
        steps: { type: "array", items: { type: "string", maxLength: 60 }, minItems: 2, maxItems: 3 },
      },
      required: ["title", "steps"],
    };
    const { text, stopReason } = await generate({ temperature: 0.7, maxTokens: 400 }, { jsonSchema });
    expect(stopReason).toBe("end_of_turn");
    const value = JSON.parse(text) as { title: unknown; steps: unknown[] };
    expect(typeof value.title).toBe("string");
    expect(value.steps.length).toBeGreaterThanOrEqual(2);
    expect(value.steps.length).toBeLessThanOrEqual(3);
  });

  it("refuses what does not fit into the context", async () => {
    const error = await generate({ maxTokens: 9000 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONTEXT_OVERFLOW", details: { contextLength: 8192 } });
  });
});

describe("cancel", () => {
  it("stops a generation in under a second, and the host is free again", async () => {
    const oneToken = await timeOf(() => generate({ maxTokens: 1 }));
    const controller = new AbortController();
    let nPieces = 0;
    const running = runner.generate(
      { ...request, sampler: { ...request.sampler, maxTokens: 2000 } },
      () => {
        if (++nPieces === 3) controller.abort();
      },
      controller.signal,
    );
    const error = await running.catch((thrown: unknown) => thrown);
    expect(isAppError(error, "CANCELLED")).toBe(true);
    expect(await timeOf(() => generate({ maxTokens: 1 }))).toBeLessThan(oneToken + 1000);
  });

  it("stops the reading of a long prompt, too", async () => {
    const controller = new AbortController();
    const content = "Silk is strong. ".repeat(1200);
    const running = runner.generate({ ...request, messages: [{ role: "user", content }] }, () => {}, controller.signal);
    await sleep(700);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    // the whole prompt takes more than ten seconds
    expect(await timeOf(() => generate({ maxTokens: 1 }))).toBeLessThan(5000);
  });
});

describe("the death of the host", () => {
  it("in the middle of a generation is repaired by one repetition", async () => {
    const expected = await generate();
    const generationBefore = host.generation;
    const events: string[] = [];
    const result = await runner.generate(request, (text, isRestart) => {
      if (isRestart) events.length = 0;
      else events.push(text);
      if (events.length === 5 && host.generation === generationBefore) kill();
    });
    expect(host.generation).toBe(generationBefore + 1);
    expect(result.text).toBe(expected.text);
    expect(events.join("")).toBe(expected.text);
  });

  it("a second time surfaces, named", async () => {
    let nKills = 0;
    const running = runner.generate(request, (text) => {
      if (text !== "" && nKills < 2) {
        nKills++;
        kill();
      }
    });
    await expect(running).rejects.toMatchObject({
      code: "HOST_CRASHED",
      message: expect.stringMatching(/died \(SIGKILL\) while it was generating text with SmolLM2.*\.gguf/) as unknown,
    });
    expect((await generate({ maxTokens: 2 })).nTokens).toBe(2);
  });
});
