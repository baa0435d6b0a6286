import { isAppError } from "../../shared/errors.ts";

const MAX_ATTEMPTS = 3;

/** The model host starts anew after a death; the call that died is repeated here, since it changes nothing. */
export async function withHostRetry<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isAppError(error, "HOST_CRASHED")) throw error;
    }
  }
}

/** Whether an error means that there is no embedder now, as against a fault of ours. */
export function isEmbedderGone(error: unknown): boolean {
  return isAppError(error, "EMBEDDER_UNAVAILABLE") || isAppError(error, "HOST_CRASHED");
}
