// Makes ids as Discord makes them: ordered by time, never the same twice.
const DISCORD_EPOCH = 1_420_070_400_000n;

/** A source of ids that always grow. */
export class Snowflakes {
  readonly #now: () => number;
  #last = 0n;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The next id. */
  next(): string {
    const byTime = (BigInt(Math.trunc(this.#now())) - DISCORD_EPOCH) << 22n;
    this.#last = byTime > this.#last ? byTime : this.#last + 1n;
    return this.#last.toString();
  }
}
