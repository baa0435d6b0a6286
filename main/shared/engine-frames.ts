import { z } from "zod";
import type { SerializedError } from "./errors.ts";

/**
 * [Note: engine process] The window's shell (main/app) starts the engine as a process of its own and never answers for
 * it. The first frame is `init`; after that the two exchange the few facts below. Windows do not talk through these
 * frames: each gets a channel of its own (`open-port`), over which the RPC of main/shared/rpc runs.
 *
 * Two transports carry the frames. In Electron's utility process a channel is a real MessagePort handed over with
 * `open-port`, and the shell never sees what goes through it. In a plain Node child there are no ports to hand over:
 * there `port-data` and `port-close` carry the channels over the child's own IPC, and the shell relays.
 */
export const EngineInit = z.strictObject({
  workspaceDir: z.string().min(1),
  resourcesDir: z.string().min(1),
  logDir: z.string().min(1),
  /** Where the trainer is, or would be: without one training says so and everything else works. */
  trainerPath: z.string().min(1),
  /** The inference library's packages for this system, whose compute libraries the trainer loads, too. */
  packagesDir: z.string().min(1),
  modelHostPath: z.string().min(1),
  pdfWorkerPath: z.string().min(1),
  version: z.string().min(1),
});
export type EngineInit = z.infer<typeof EngineInit>;

const PortId = z.int().min(1);

/** From the shell to the engine. */
export const ShellFrame = z.discriminatedUnion("t", [
  z.object({ t: z.literal("init"), init: EngineInit }),
  z.object({ t: z.literal("open-port"), portId: PortId }),
  z.object({ t: z.literal("port-data"), portId: PortId, message: z.unknown() }),
  z.object({ t: z.literal("port-close"), portId: PortId }),
  z.object({ t: z.literal("host-started"), hostId: PortId }),
  z.object({ t: z.literal("host-exited"), hostId: PortId, code: z.number().nullable(), signal: z.string().nullable() }),
  z.object({ t: z.literal("shutdown") }),
]);
export type ShellFrame = z.infer<typeof ShellFrame>;

/** What the shell needs to know of the work: to ask before quitting and to keep the computer awake. */
export type EngineActivity = { runningJobs: { type: string; title: string }[]; isTraining: boolean };

/** From the engine to the shell: one build and one trust, so a type is enough. */
export type EngineFrame =
  | { t: "ready" }
  /** The engine cannot start and says why; its exit follows. */
  | { t: "failed"; error: SerializedError }
  | { t: "activity"; activity: EngineActivity }
  | { t: "start-host"; hostId: number; name: "model-host" }
  | { t: "kill-host"; hostId: number }
  | { t: "port-data"; portId: number; message: unknown }
  | { t: "port-close"; portId: number };
