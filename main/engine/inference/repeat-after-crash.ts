import { isAppError } from "../../shared/errors.ts";

/** Work in the model host changes nothing, so what died with the host is asked for once more; a second death is told. */
export async function repeatAfterCrash<T>(ask: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isAppError(error, "HOST_CRASHED") || signal?.aborted) throw error;
    return await ask();
  }
}
