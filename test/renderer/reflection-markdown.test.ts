import { describe, expect, it } from "vitest";
import type { ReflectionDetail } from "../../main/shared/contract/reflection.ts";
import { reflectionMarkdown } from "../../renderer/lib/reflection-markdown.ts";

const metrics = {
  thinkingSimilarity: null,
  answerSimilarity: null,
  changedShare: 0.25,
  nThinkingWords: 5,
  nAnswerWords: 3,
  repetition: 0,
};
const reflection = {
  question: "Why is nacre\n tough?",
  model: "m",
  adapter: "a",
  critic: null,
  createdAt: 0,
  final: "Because of its layers.",
  integrated: null,
  sources: [{ title: "Nacre", page: 7 }],
  iterations: [
    {
      index: 0,
      thinking: "Draft thinking.",
      improvedThinking: null,
      reflection: "",
      answer: "Layers.",
      critique: [],
      metrics: { ...metrics, changedShare: null },
    },
    {
      index: 1,
      thinking: "What the policy wrote.",
      improvedThinking: "What the critic made of it.",
      reflection: "",
      answer: "Because of its layers.",
      critique: [{ ordinal: 0, point: "Name the mechanism.", actedOn: true, changedSentences: [0] }],
      metrics,
    },
  ],
} as unknown as ReflectionDetail;

describe("reflectionMarkdown", () => {
  const text = reflectionMarkdown(reflection);
  it("stands alone: question in one line, answer, iterations, sources", () => {
    expect(text.split("\n")[0]).toBe("# Why is nacre tough?");
    for (const part of [
      "## Final answer",
      "## Draft",
      "## Iteration 1",
      "- [x] Name the mechanism.",
      "25 % of the sentences changed",
      "1. Nacre, p. 7",
    ]) {
      expect(text).toContain(part);
    }
  });
  it("shows the thinking that the answer was written from", () => {
    expect(text).toContain("What the critic made of it.");
    expect(text).not.toContain("What the policy wrote.");
  });
});
