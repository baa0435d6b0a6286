/** Milliseconds since the epoch, UTC. Injected, so that tests can hold it still. */
export type Clock = () => number;
export const systemClock: Clock = () => Date.now();
