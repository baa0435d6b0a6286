import type { SerializedError } from "../errors.ts";

export const RPC_VERSION = 1;

/** `method` is "domain.name". Ids grow monotonically per port. */
export type UpFrame =
  | { v: number; t: "call"; id: number; method: string; input: unknown }
  | { v: number; t: "cancel"; id: number };
export type DownFrame =
  | { v: number; t: "ok"; id: number; output: unknown }
  | { v: number; t: "err"; id: number; error: SerializedError }
  | { v: number; t: "next"; id: number; item: unknown }
  | { v: number; t: "end"; id: number }
  | { v: number; t: "event"; name: string; payload: unknown };

export function isUpFrame(value: unknown): value is UpFrame {
  if (!isFrame(value)) return false;
  if (typeof value.id !== "number") return false;
  return value.t === "cancel" || (value.t === "call" && typeof value.method === "string");
}

export function isDownFrame(value: unknown): value is DownFrame {
  if (!isFrame(value)) return false;
  if (value.t === "event") return typeof value.name === "string";
  return typeof value.id === "number" && ["ok", "err", "next", "end"].includes(value.t);
}

function isFrame(value: unknown): value is { v: number; t: string; [key: string]: unknown } {
  return typeof value === "object" && value !== null && "v" in value && "t" in value && typeof value.t === "string";
}
