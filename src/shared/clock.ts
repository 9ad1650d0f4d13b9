// The port through which the program learns the time, so that tests and the simulator can own it.

/** Milliseconds since the Unix epoch. */
export interface Clock {
  now(): number;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };
