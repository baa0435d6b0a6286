import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeMaskedPair } from "../../../main/engine/preference/index.ts";
import { findThinking, responseMask, tokenPosition } from "../../../main/engine/preference/encode/mask.ts";
import { DEFAULT_MARKERS as markers } from "../../../main/shared/markers.ts";
import { formatResponse } from "../../../main/shared/response-format.ts";
import { createScriptedRunner } from "../../harness/scripted-runner.ts";

const prose = fc.stringMatching(/^[A-Za-z][A-Za-z ,.\n-]{0,60}[a-z.]$/);
const fraction = fc.double({ min: 0, max: 1, noNaN: true });

describe("findThinking", () => {
  test("finds exactly the thinking and the answer of any well-formed response", () => {
    fc.assert(
      fc.property(prose, prose, (thinking, answer) => {
        const text = formatResponse({ thinking, reflection: "", answer }, markers);
        const span = findThinking(text, markers)!;
        expect(text.slice(span.start, span.end)).toBe(thinking.trim());
        expect(text.slice(span.answerStart)).toBe(answer.trim());
      }),
    );
  });

  test("a response without closed thinking has no span", () => {
    expect(findThinking("An answer.", markers)).toBeNull();
    expect(findThinking("<|thinking|>\nNever ends.", markers)).toBeNull();
    expect(findThinking("<|/thinking|>\n<|thinking|>\nWrong way round.", markers)).toBeNull();
  });
});

describe("responseMask", () => {
  const span = { start: 3, end: 13, answerStart: 17 };

  test("none and a response without thinking carry loss everywhere", () => {
    expect(responseMask(20, "none", span, 1)).toEqual(Array(20).fill(1));
    expect(responseMask(20, "answer_only", null, 1)).toEqual(Array(20).fill(1));
    expect(responseMask(20, { thinking_fraction: 1 }, null, 1)).toEqual(Array(20).fill(1));
  });

  test("answer_only carries loss from the answer's first token on", () => {
    expect(responseMask(20, "answer_only", span, 1)).toEqual([...Array(17).fill(0), 1, 1, 1]);
  });

  test("a fraction takes that share of the thinking tokens, never markers or answer, and the same for the same seed", () => {
    fc.assert(
      fc.property(fraction, fc.nat(), (thinking_fraction, seed) => {
        const mask = responseMask(20, { thinking_fraction }, span, seed);
        const nMasked = mask.filter((bit) => bit === 0).length;
        expect(nMasked).toBe(Math.round(thinking_fraction * 10));
        expect([...mask.slice(0, 3), ...mask.slice(13)]).toEqual(Array(10).fill(1));
        expect(responseMask(20, { thinking_fraction }, span, seed)).toEqual(mask);
      }),
    );
  });

  test("different seeds take different tokens", () => {
    const masks = [1, 2, 3, 4].map((seed) =>
      responseMask(40, { thinking_fraction: 0.5 }, { start: 0, end: 30, answerStart: 34 }, seed).join(""),
    );
    expect(new Set(masks).size).toBe(4);
  });
});

test("a token across the boundary counts to what comes behind it", () => {
  // "ab" + "cd" where b and c merge into one token
  expect(tokenPosition([10, 99, 13], [10, 11])).toBe(1);
  expect(tokenPosition([10, 11, 12], [10, 11])).toBe(2);
  expect(tokenPosition([10, 11], [])).toBe(0);
});

describe("encodeMaskedPair", () => {
  const runner = createScriptedRunner(() => "");
  const pair = {
    modelPath: "m.gguf",
    messages: [{ role: "user" as const, content: "Why?" }],
    chosen: formatResponse({ thinking: "- Pores hold ions.", reflection: "", answer: "Because of pores." }, markers),
    rejected: "It depends.",
    markers,
    seed: 5,
  };
  const textOf = (ids: number[], mask: number[]) =>
    runner.textOf(ids.filter((_, i) => mask[i] === 1)).replace("<end>", "");

  test("masks lie on the tokens that they speak of, on both sides", async () => {
    const answerOnly = await encodeMaskedPair(runner, { ...pair, mask: "answer_only" });
    expect(textOf(answerOnly.chosen, answerOnly.chosen_mask)).toBe("Because of pores.");
    expect(textOf(answerOnly.rejected, answerOnly.rejected_mask)).toBe("It depends.");
    expect(answerOnly.chosen_mask.at(-1)).toBe(1); // the end of the turn is learned

    const all = await encodeMaskedPair(runner, { ...pair, mask: { thinking_fraction: 1 } });
    expect(textOf(all.chosen, all.chosen_mask)).toBe(pair.chosen.replace("- Pores hold ions.", ""));
  });

  test("a thinking rejected response is masked like the chosen one", async () => {
    const swapped = { ...pair, chosen: pair.rejected, rejected: pair.chosen };
    const masked = await encodeMaskedPair(runner, { ...swapped, mask: "answer_only" });
    expect(textOf(masked.rejected, masked.rejected_mask)).toBe("Because of pores.");
    expect(masked.chosen_mask).toEqual(Array(masked.chosen.length).fill(1));
  });
});
