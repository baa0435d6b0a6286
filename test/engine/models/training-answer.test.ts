import { expect, test } from "vitest";
import { answerTraining } from "../../../main/engine/models/training-answer.ts";

const model = {
  trainable: true,
  notTrainableReason: null,
  trainingMemory: { device: "cpu", plansMb: [930, 741, 539] },
};
const free = (memoryFreeMb: number) => answerTraining(model, { name: "cpu", memoryFreeMb });

test("the first plan that leaves a tenth of the free memory counts, else the smallest", () => {
  expect(free(1100)).toMatchObject({ memoryMb: 930, fits: true });
  expect(free(1000)).toMatchObject({ memoryMb: 741, fits: true });
  expect(free(560)).toMatchObject({ memoryMb: 539, fits: true });
  expect(free(530)).toEqual({
    isTrainable: true,
    reason: null,
    device: "cpu",
    memoryMb: 539,
    freeMb: 530,
    fits: false,
  });
});

test("figures of another device say nothing of this one", () => {
  expect(answerTraining(model, { name: "cuda0", memoryFreeMb: 8000 })).toMatchObject({
    isTrainable: true,
    device: "cuda0",
    memoryMb: null,
    fits: null,
  });
});

test("without a device, and of a model that cannot be trained, no memory is named", () => {
  expect(answerTraining(model, null)).toMatchObject({ isTrainable: true, device: null, memoryMb: null, freeMb: null });
  const not = { ...model, trainable: false, notTrainableReason: "it is a projector" };
  expect(answerTraining(not, { name: "cpu", memoryFreeMb: 8000 })).toMatchObject({
    isTrainable: false,
    reason: "it is a projector",
    memoryMb: null,
    fits: null,
  });
});
