// Chance from a seed: the same seed makes the same choices, on every machine.

/** Whole numbers, choices and bytes out of one seed (the generator is Chris Doty-Humphrey's sfc32). */
export class Chance {
  #a = 0;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param stream keeps what is chosen for different purposes apart. */
  constructor(seed: number, stream: number) {
    this.#a = stream >>> 0;
    this.#b = seed >>> 0;
    this.#c = Math.floor(seed / 2 ** 32) >>> 0;
    for (let turn = 0; turn < 12; turn += 1) this.#next();
  }

  /** A whole number from 0 to `bound` - 1; bounds are small here, so that the bias does not matter. */
  below(bound: number): number {
    return bound <= 2 ** 32
      ? this.#next() % bound
      : (this.#next() * 2 ** 20 + (this.#next() >>> 12)) % bound;
  }

  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True this often in a hundred. */
  percent(often: number): boolean {
    return this.below(100) < often;
  }

  /** Undefined for an empty list. */
  pick<T>(items: readonly T[]): T | undefined {
    return items.length === 0 ? undefined : items[this.below(items.length)];
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = this.#next() & 0xff;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) >>> 0;
    this.#c = (this.#c + result) >>> 0;
    return result;
  }
}
