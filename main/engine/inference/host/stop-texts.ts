export type StopTexts = {
  /** Text that is safe to show: it lies before any stop text and cannot be the beginning of one. */
  push(text: string): { text: string; isStopped: boolean };
  /** What was held back, once it is clear that nothing follows. */
  end(): string;
};

/**
 * Ends a stream of text before the stop text that is complete first (of two that end together, before the longer one),
 * so that the result does not depend on where the pieces are cut.
 */
export function createStopTexts(stops: readonly string[]): StopTexts {
  let held = "";
  return {
    push(text) {
      held += text;
      const start = startOfFirst(held, stops);
      if (start !== undefined) return { text: take(start), isStopped: true };
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

function startOfFirst(text: string, stops: readonly string[]): number | undefined {
  const found = stops
    .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
    .filter(({ start }) => start >= 0)
    .toSorted((a, b) => a.start + a.length - (b.start + b.length) || a.start - b.start);
  return found[0]?.start;
}

/** Length of the longest end of `text` that is a beginning of `stop`. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
