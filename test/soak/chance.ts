// The soak's own draws: everything that members and faults do follows from the seed.
import { seededRandomness } from '../../src/guyacha/randomness.ts';

export interface Chance {
  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** One of the names, each as likely as its weight. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name;
  /** True in this share of the draws, from 0 to 1. */
  isIn(share: number): boolean;
}

export function seededChance(seed: string): Chance {
  const randomness = seededRandomness(seed);
  const below = (bound: number): number => randomness.uniformInt(bound);
  return {
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error('There is nothing to pick from.');
      return item;
    },
    weighted: (weights) => {
      const entries = Object.entries(weights) as [keyof typeof weights, number][];
      let point = below(entries.reduce((sum, [, weight]) => sum + weight, 0));
      for (const [name, weight] of entries) {
        point -= weight;
        if (point < 0) return name;
      }
      throw new Error('There is nothing to draw from.');
    },
    isIn: (share) => below(1_000_000) < share * 1_000_000,
  };
}
