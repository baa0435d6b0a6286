import { z } from "zod";
import type { SerializedError } from "./errors.ts";

/**
 * What the window may ask of Electron's main process: the second, tiny contract beside the engine's. One channel, one
 * check of the sender, one schema. Everything about papers and models goes to the engine instead.
 */
export const ShellRequest = z.discriminatedUnion("route", [
  /** The answer is a port, sent to the window on the side. */
  z.strictObject({ route: z.literal("connectEngine") }),
  z.strictObject({ route: z.literal("restartEngine") }),
  z.strictObject({ route: z.literal("openFiles"), kind: z.enum(["documents", "model"]) }),
  z.strictObject({ route: z.literal("revealPath"), path: z.string().min(1).max(4096) }),
]);
export type ShellRequest = z.infer<typeof ShellRequest>;

/** A value, never a rejection: Electron's `invoke` keeps only the message of an error. */
export type ShellAnswer = { ok: true; value: unknown } | { ok: false; error: SerializedError };

export const SHELL_CHANNEL = "shell";
export const ENGINE_PORT_CHANNEL = "engine-port";
