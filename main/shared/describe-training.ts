import type { TrainingAnswer } from "./contract/model.ts";
import { formatBytes } from "./format-bytes.ts";

/** The words of every list, check and window for one answer, to stand behind the model's name. */
export function describeTraining({ isTrainable, reason, device, memoryMb, freeMb, fits }: TrainingAnswer): string {
  if (!isTrainable) return `cannot be trained: ${reason ?? "no reason is known"}`;
  if (device === null) return "trainable, but there is no device to compute on";
  if (memoryMb === null || freeMb === null) return `trainable on ${device}; how much memory it takes is not known`;
  return fits
    ? `trainable on ${device} with about ${ofMb(memoryMb)} of ${ofMb(freeMb)} free`
    : `needs about ${ofMb(memoryMb)} to be trained on ${device}, ${ofMb(freeMb)} are free`;
}

function ofMb(mb: number): string {
  return formatBytes(mb * 1048576);
}
