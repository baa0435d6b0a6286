import { expect, test } from "vitest";
import { parseOverrides } from "../../../main/engine/training/settings.ts";

test("values are read as numbers, booleans, lists and words; dots lead into a group", () => {
  const settings = parseOverrides({
    learning_rate: "1e-4",
    shuffle: "false",
    "lora.r": "8",
    "lora.targets": "[q, v]",
    device: "cpu",
  });
  expect(settings).toEqual({ learning_rate: 1e-4, shuffle: false, lora: { r: 8, targets: ["q", "v"] }, device: "cpu" });
});

test("what has an option of its own cannot be overridden", () => {
  for (const key of ["model", "pairs", "adapter_out", "checkpoint.path", "loss"]) {
    expect(() => parseOverrides({ [key]: "x" })).toThrow(expect.objectContaining({ code: "VALIDATION_FAILED" }));
  }
});
