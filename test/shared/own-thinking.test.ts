import { expect, test } from "vitest";
import { DEFAULT_MARKERS, markersIn } from "../../main/shared/markers.ts";
import { withoutOwnThinking } from "../../main/shared/own-thinking.ts";

const spoken = (text: string) => withoutOwnThinking(text, DEFAULT_MARKERS);

test.each([
  ["a block", "<think>\nhm\n</think>\n\nYes.", "Yes.", 1],
  ["a block that the template opened", "hm\n</think>\n\nYes.", "Yes.", 1],
  ["several", "<think>a</think>Yes, <think>b</think>it does.", "Yes, it does.", 2],
  ["Magistral's", "[THINK]a[/THINK]Yes.", "Yes.", 1],
  [
    "before the thinking that was asked for",
    "<think>a</think>\n<|thinking|>\nb\n<|/thinking|>\nYes.",
    "<|thinking|>\nb\n<|/thinking|>\nYes.",
    1,
  ],
])("a model's own thinking is no part of what it says: %s", (_name, text, says, nBlocks) => {
  expect(spoken(text)).toEqual({ text: says, nBlocks, isUnclosed: false });
});

test("thinking that never ends leaves what was said before it", () => {
  expect(spoken("<think>\non and on")).toEqual({ text: "", nBlocks: 0, isUnclosed: true });
  expect(spoken("<think>a</think>Yes. <think>on")).toEqual({ text: "Yes.", nBlocks: 1, isUnclosed: true });
});

test("other text, and thinking that was asked for in these very markers, stay as they are", () => {
  expect(spoken(" a < b\n").text).toBe(" a < b\n");
  const markers = { ...DEFAULT_MARKERS, thinkingOpen: "<think>", thinkingClose: "</think>" };
  expect(withoutOwnThinking("<think>a</think>\nYes.", markers).text).toBe("<think>a</think>\nYes.");
});

test("a response of unknown origin names its set", () => {
  expect(markersIn("<think>a</think>b")).toMatchObject({ thinkingOpen: "<think>", thinkingClose: "</think>" });
  expect(markersIn("<think>a</think><|thinking|>b<|/thinking|>c")).toBe(DEFAULT_MARKERS);
  expect(markersIn("b")).toBe(DEFAULT_MARKERS);
});
