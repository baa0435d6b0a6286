import { expect, test } from "vitest";
import type { TrainingAnswer } from "../../main/shared/contract/model.ts";
import { describeTraining } from "../../main/shared/describe-training.ts";

const answer: TrainingAnswer = {
  isTrainable: true,
  reason: null,
  device: "cuda0",
  memoryMb: 6200,
  freeMb: 22_900,
  fits: true,
};

test("a training that fits names device, need and what is free", () => {
  expect(describeTraining(answer)).toBe("trainable on cuda0 with about 6.5 GB of 24 GB free");
});

test("one that does not fit says by how much", () => {
  const small = { ...answer, device: "cpu", freeMb: 3000, fits: false };
  expect(describeTraining(small)).toBe("needs about 6.5 GB to be trained on cpu, 3.1 GB are free");
});

test("a model that cannot be trained says why, whatever memory there is", () => {
  const no = { ...answer, isTrainable: false, reason: "it is a projector", memoryMb: null, fits: null };
  expect(describeTraining(no)).toBe("cannot be trained: it is a projector");
});

test("what is not known is said and not left out", () => {
  const unknown = { ...answer, memoryMb: null, fits: null };
  expect(describeTraining(unknown)).toBe("trainable on cuda0; how much memory it takes is not known");
  expect(describeTraining({ ...unknown, device: null, freeMb: null })).toBe(
    "trainable, but there is no device to compute on",
  );
});
