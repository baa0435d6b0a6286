/**
 * @file What this machine computes on. No part of METHOD: training and inference stand on it. See [Note: devices].
 */
export { askTrainer, type TrainerAnswer, trainerMissing } from "./ask-trainer.ts";
export { type ChosenDevice, createDevices, type DeviceConfig, type Devices } from "./devices.ts";
export { type TrainerLocation, trainerEnvironment } from "./environment.ts";
export type { Trainability } from "./inspect.ts";
export { findPackages } from "./packages.ts";
