// Where draws get their chance from: the machine's secure source, or a seed that tells the same story every time.
import { createHash, randomInt } from 'node:crypto';

/** Whole numbers, each equally likely. */
export interface Randomness {
  /** From 0 to `boundExclusive` - 1; the bound is a whole number from 1 to 2^48 - 1. */
  uniformInt(boundExclusive: number): number;
}

const RANGE_BYTES = 6;
const RANGE = 2 ** (8 * RANGE_BYTES);

/** The operating system's secure random numbers; node rejects the overhang, so that no number is likelier. */
export const cryptoRandomness: Randomness = {
  uniformInt: (boundExclusive) => randomInt(boundExclusive),
};

/** The same numbers for the same seed, for tests and simulations; never for members' rolls. */
export function seededRandomness(seed: string): Randomness {
  let state = createHash('sha256').update(seed).digest();
  let offset = 0;
  const next = (): number => {
    if (offset + RANGE_BYTES > state.length) {
      state = createHash('sha256').update(state).digest();
      offset = 0;
    }
    offset += RANGE_BYTES;
    return state.readUIntBE(offset - RANGE_BYTES, RANGE_BYTES);
  };
  return {
    uniformInt: (boundExclusive) => {
      if (!Number.isSafeInteger(boundExclusive) || boundExclusive < 1 || boundExclusive >= RANGE) {
        throw new RangeError(
          `The bound ${boundExclusive} is not a whole number from 1 to 2^48 - 1`,
        );
      }
      // The last, incomplete stretch of the range would make low numbers likelier: draw again there.
      const limit = RANGE - (RANGE % boundExclusive);
      let number = next();
      while (number >= limit) number = next();
      return number % boundExclusive;
    },
  };
}
