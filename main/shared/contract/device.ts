import { z } from "zod";
import { command, query } from "./define.ts";

export const Device = z.object({
  /** The trainer's own name, for example cuda0. */
  name: z.string(),
  description: z.string(),
  backend: z.enum(["cuda", "vulkan", "metal", "cpu"]),
  /** A software device is the processor behind a graphics card's interface: for tests, and never chosen by itself. */
  type: z.enum(["gpu", "integrated gpu", "accelerator", "software", "cpu"]),
  /** The package whose libraries compute on it. */
  package: z.string(),
  memoryFreeMb: z.int(),
  memoryTotalMb: z.int(),
});
export type Device = z.infer<typeof Device>;

/** A package that is installed and gives no device, with the reason in words. */
export const UnusedPackage = z.object({
  package: z.string(),
  backend: Device.shape.backend,
  reason: z.string(),
  nextStep: z.string(),
  /** A driver is there, so that something is wrong; else there is merely no such graphics card. */
  isFault: z.boolean(),
});
export type UnusedPackage = z.infer<typeof UnusedPackage>;

export const DeviceReport = z.object({
  devices: z.array(Device),
  unused: z.array(UnusedPackage),
  /** "auto", or the name of a device. */
  wanted: z.string(),
  wantedBy: z.enum(["default", "workspace", "command"]),
  /** What training and inference use; null when the wanted one is not to be had. */
  chosen: Device.nullable(),
  problem: z.object({ message: z.string(), nextStep: z.string() }).nullable(),
});
export type DeviceReport = z.infer<typeof DeviceReport>;

export const device = {
  /** What this machine can compute on; asked once a session unless `refresh`. */
  list: query({ input: z.strictObject({ refresh: z.boolean().optional() }), output: DeviceReport }),
  /** For this workspace from now on: a device's name, or "auto". Errors: DEVICE_UNAVAILABLE. */
  choose: command({ input: z.strictObject({ device: z.string().min(1) }), output: DeviceReport }),
  /** Loads the inference library on the chosen device. Errors: DEVICE_UNAVAILABLE. */
  checkInference: query({
    input: z.strictObject({}),
    output: z.object({ libraryVersion: z.string(), threads: z.int() }),
  }),
  /**
   * The trainer's own check of losses and gradients, with the libraries of the chosen device. `starts`: what the losses that have
   * a reference are for a fresh adapter, known exactly (dpo: ln 2), with margins of 0. Errors: DEVICE_UNAVAILABLE.
   */
  checkTrainer: query({
    input: z.strictObject({}),
    output: z.object({
      isPassed: z.boolean(),
      nPassed: z.int(),
      nChecks: z.int(),
      starts: z.array(z.object({ loss: z.string(), value: z.number() })),
    }),
  }),
};
export type DeviceEvents = { "device.changed": Record<string, never> };
