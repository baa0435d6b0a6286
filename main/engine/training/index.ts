/**
 * Training runs (METHOD §4): pairs to token ids, the native trainer as a process that may be killed at any moment, the
 * adapter with its card, and the parity check against llama.cpp before anyone gets it.
 */
export type { AdapterCard } from "./adapter-card.ts";
export { adapterBytes, adapterBytesOf, CHECKPOINT_ADAPTERS } from "./adapter-size.ts";
export { createTraining, type Training } from "./create-training.ts";
export type { RunFileRole } from "./run-files.ts";
export { trainerSettingsOf } from "./settings.ts";
