import type { Device } from "../../shared/contract/device.ts";
import type { ModelFacts, TrainingAnswer } from "../../shared/contract/model.ts";

/** As the trainer does: of its plans the first that leaves a tenth of the free memory, else the smallest. */
const USED_OF_FREE = 0.9;

/** The one place that says whether a model can be trained here, for every list, form and check. */
export function answerTraining(
  {
    trainable,
    notTrainableReason,
    trainingMemory,
  }: Pick<ModelFacts, "trainable" | "notTrainableReason" | "trainingMemory">,
  device: Pick<Device, "name" | "memoryFreeMb"> | null,
): TrainingAnswer {
  const plansMb = device && trainable && trainingMemory?.device === device.name ? trainingMemory.plansMb : [];
  const freeMb = device?.memoryFreeMb ?? null;
  const memoryMb = plansMb.find((mb) => freeMb !== null && mb <= USED_OF_FREE * freeMb) ?? plansMb.at(-1) ?? null;
  return {
    isTrainable: trainable,
    reason: notTrainableReason,
    device: device?.name ?? null,
    memoryMb,
    freeMb,
    fits: memoryMb === null || freeMb === null ? null : memoryMb <= freeMb,
  };
}
