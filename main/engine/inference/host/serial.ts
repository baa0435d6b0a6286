/** Runs asynchronous calls one after another: one model sequence at a time is what makes results repeat. */
export function createSerial(): <T>(run: () => Promise<T>, signal?: AbortSignal) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run, signal) => {
    const result = last.then(() => {
      signal?.throwIfAborted();
      return run();
    });
    // the next call waits for this one's end, whichever it is; its error goes to its own caller
    last = result.catch(() => {});
    return result;
  };
}
