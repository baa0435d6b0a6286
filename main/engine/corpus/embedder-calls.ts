import { isAppError } from "../../shared/errors.ts";

/** Whether an error means that there is no embedder now, as against a fault of ours. */
export function isEmbedderGone(error: unknown): boolean {
  return isAppError(error, "EMBEDDER_UNAVAILABLE") || isAppError(error, "HOST_CRASHED");
}
