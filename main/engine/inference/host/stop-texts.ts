export type StopTexts = {
  /** Text that is safe to show: it lies before any stop text and cannot be the beginning of one. */
  push(text: string): { text: string; isStopped: boolean };
  /** What was held back, once it is clear that nothing follows. */
  end(): string;
};

/** Ends a stream of text before the first of the stop texts, wherever the pieces are cut. */
export function createStopTexts(stops: readonly string[]): StopTexts {
  let held = "";
  return {
    push(text) {
      held += text;
      const found = stops.map((stop) => held.indexOf(stop)).filter((index) => index >= 0);
      if (found.length > 0) return { text: take(Math.min(...found)), isStopped: true };
      const nHeld = Math.max(0, ...stops.map((stop) => overlap(held, stop)));
      return { text: take(held.length - nHeld), isStopped: false };
    },
    end: () => take(held.length),
  };

  function take(length: number): string {
    const text = held.slice(0, length);
    held = held.slice(length);
    return text;
  }
}

/** Length of the longest end of `text` that is a beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
