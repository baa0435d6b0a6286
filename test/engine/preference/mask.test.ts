import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeMaskedPair } from "../../../main/engine/preference/index.ts";
import { findThinking } from "../../../main/engine/preference/encode/find-thinking.ts";
import { maskProblems } from "../../../main/engine/preference/encode/mask-problems.ts";
import { responseMask, tokenPosition } from "../../../main/engine/preference/encode/mask.ts";
import type { Mask } from "../../../main/shared/mask.ts";
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
        const places = findThinking(text, markers);
        expect(places.isClosed).toBe(true);
        expect(places.thinking.map(({ start, end }) => text.slice(start, end))).toEqual([thinking.trim()]);
        expect(text.slice(places.answerStart)).toBe(answer.trim());
      }),
    );
  });

  test("a response without thinking is answer from its first character on", () => {
    expect(findThinking("An answer.", markers)).toEqual({ thinking: [], answerStart: 0, isClosed: true });
  });

  const own = { ...markers, thinkingOpen: "<analysis>", thinkingClose: "</analysis>" };
  test.each([
    [
      "nested markers",
      "<|thinking|>\nA <|thinking|> in <|/thinking|> B\n<|/thinking|>\nC.",
      ["A <|thinking|> in <|/thinking|> B"],
    ],
    ["several blocks", "<|thinking|>a<|/thinking|> so <|thinking|>b<|/thinking|>\nC.", ["a", "b"]],
    ["a model's own thinking", "<think>\nhm\n</think>\n\nC.", ["hm"]],
    ["its own beside ours", "<think>hm</think>\n<|thinking|>\na\n<|/thinking|>\nC.", ["hm", "a"]],
    ["its own inside ours, never closed", "<|thinking|>\na <think> hm\n<|/thinking|>\nC.", ["a <think> hm"]],
    ["a block that the template opened", "hm\n</think>\n\nC.", ["hm"]],
    ["Magistral's", "[THINK]hm[/THINK]C.", ["hm"]],
    ["the pair's own set", "<analysis>a</analysis>C.", ["a"]],
    ["reflection behind the thinking", "<|thinking|>\na\n<|/thinking|>\n<|reflect|>\nweak\n<|/reflect|>\nC.", ["a"]],
  ])("the final answer alone is left: %s", (_name, text, thinking) => {
    const places = findThinking(text, own);
    expect(text.slice(places.answerStart)).toBe("C.");
    expect(places.thinking.map(({ start, end }) => text.slice(start, end))).toEqual(thinking);
    expect(places.isClosed).toBe(true);
  });

  test.each([
    "<|thinking|>\nNever ends.",
    "<|/thinking|>\n<|thinking|>\nWrong way round.",
    "<|thinking|> a <|thinking|> b <|/thinking|> which of them ended?",
    "<|thinking|>a<|/thinking|>\n<think>\nAnd on and on.",
  ])("thinking that never ends is told: %s", (text) => {
    expect(findThinking(text, markers).isClosed).toBe(false);
  });
});

describe("maskProblems", () => {
  const thinking = "<|thinking|>\na\n<|/thinking|>\nB.";
  const problems = (chosen: string, rejected: string, mask: Mask) => maskProblems({ chosen, rejected, markers }, mask);

  test("a chosen response whose thinking never ends is refused whatever the mask, a rejected one where it is masked", () => {
    for (const mask of ["none", "answer_only", { thinking_fraction: 0.5 }] as const) {
      expect(problems("<|thinking|>\na", "B.", mask)).toEqual(["thinking_unclosed"]);
      expect(problems(thinking, "<think>b", mask)).toEqual(mask === "none" ? [] : ["thinking_unclosed"]);
    }
  });

  test("a mask that finds nothing where its kind needs some is told; a rejected answer without thinking is whole answer", () => {
    expect(problems(thinking, "B.", "answer_only")).toEqual([]);
    expect(problems("B.", "C.", "answer_only")).toEqual(["chosen_without_thinking"]);
    expect(problems("B.", "C.", { thinking_fraction: 0.5 })).toEqual(["chosen_without_thinking"]);
    expect(problems(thinking, "C.", { thinking_fraction: 0.5 })).toEqual(["rejected_without_thinking"]);
    expect(problems("B.", "C.", "none")).toEqual([]);
    expect(problems("<|thinking|>a<|/thinking|>", "C.", "answer_only")).toEqual(["answer_missing"]);
  });
});

describe("responseMask", () => {
  const span = { thinking: [{ start: 3, end: 13 }], answerStart: 17 };
  const without = { thinking: [], answerStart: 0 };

  test("none and a response without thinking carry loss everywhere", () => {
    expect(responseMask(20, "none", span, 1)).toEqual(Array(20).fill(1));
    expect(responseMask(20, "answer_only", without, 1)).toEqual(Array(20).fill(1));
    expect(responseMask(20, { thinking_fraction: 1 }, without, 1)).toEqual(Array(20).fill(1));
  });

  test("answer_only carries loss from the answer's first token on", () => {
    expect(responseMask(20, "answer_only", span, 1)).toEqual([...Array(17).fill(0), 1, 1, 1]);
  });

  test("a fraction is of all blocks together, and leaves what stands between them", () => {
    const blocks = {
      thinking: [
        { start: 1, end: 3 },
        { start: 5, end: 7 },
      ],
      answerStart: 8,
    };
    expect(responseMask(10, { thinking_fraction: 1 }, blocks, 1)).toEqual([1, 0, 0, 1, 1, 0, 0, 1, 1, 1]);
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
      responseMask(40, { thinking_fraction: 0.5 }, { thinking: [{ start: 0, end: 30 }], answerStart: 34 }, seed).join(
        "",
      ),
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
