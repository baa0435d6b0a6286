import { describe, expect, test } from "vitest";
import type { IterationMetrics } from "../../../main/shared/contract/reflection.ts";
import { measureIteration } from "../../../main/engine/reflection/metrics.ts";
import { createSimilarity } from "../../../main/engine/reflection/similarity.ts";
import { DEFAULT_STOP_LIMITS, stopReason } from "../../../main/engine/reflection/stop-rules.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";

const metrics = (given: Partial<IterationMetrics>): IterationMetrics => ({
  thinkingSimilarity: 0.8,
  answerSimilarity: 0.8,
  changedShare: 0.5,
  nThinkingWords: 50,
  nAnswerWords: 40,
  repetition: 0,
  ...given,
});
const reasonOf = (given: Partial<IterationMetrics>, index = 1) =>
  stopReason({ index, metrics: metrics(given) }, { metrics: metrics({}) }, 3, DEFAULT_STOP_LIMITS);

describe("stopReason", () => {
  test("goes on while the text changes and the number is not reached", () => expect(reasonOf({})).toBeNull());
  test("stops at the number asked for", () => expect(reasonOf({}, 3)).toBe("n_reached"));
  test("calls an answer that began to loop degraded", () => expect(reasonOf({ repetition: 0.5 })).toBe("degraded"));
  test("calls an answer that vanished degraded, even in the last iteration", () =>
    expect(reasonOf({ nAnswerWords: 0, answerSimilarity: null }, 3)).toBe("degraded"));
  test("needs both thinking and answer alike to call it converged", () => {
    expect(reasonOf({ thinkingSimilarity: 0.99 })).toBeNull();
    expect(reasonOf({ thinkingSimilarity: 0.99, answerSimilarity: 0.99 })).toBe("converged");
    expect(reasonOf({ changedShare: 0, thinkingSimilarity: null, answerSimilarity: null })).toBe("converged");
  });
  test("a draft alone is the end when no iteration is asked for", () => {
    const draft = {
      index: 0,
      metrics: metrics({ thinkingSimilarity: null, answerSimilarity: null, changedShare: null }),
    };
    expect(stopReason(draft, null, 0, DEFAULT_STOP_LIMITS)).toBe("n_reached");
  });
});

describe("measureIteration", () => {
  const similarity = createSimilarity(createFakeEmbedder({ maxTokens: 32 }), new AbortController().signal);

  test("measures texts longer than the embedder's window", async () => {
    const thinking = Array.from({ length: 60 }, (_, i) => `- Statement ${i} about the alloy.`).join("\n");
    const measured = await measureIteration(
      { thinking: `${thinking}\n- One more about graphene.`, answer: "The alloy hardens." },
      { thinking, answer: "The alloy hardens." },
      similarity,
    );
    expect(measured.answerSimilarity).toBeCloseTo(1, 5);
    expect(measured.thinkingSimilarity).toBeGreaterThan(0.9);
    expect(measured.changedShare).toBeCloseTo(1 / 62, 5);
  });
});
