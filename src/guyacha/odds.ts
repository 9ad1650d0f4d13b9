// The published odds: what each entry of a banner is worth, computed from the weights that the draw itself uses.
import { totalWeightOf } from './banner.ts';
import type { Banner, Entry } from './banner.ts';

interface EntryOdds {
  readonly entry: Entry;
  /** 0 to 1, while everything is in stock. */
  readonly probability: number;
}

export interface Odds {
  /** In the banner's order; the probabilities add up to 1. */
  readonly entries: readonly EntryOdds[];
  readonly totalWeight: number;
  /** Coins that one roll gives back on average, in gc. */
  readonly expectedCoinsGc: number;
  /** `expectedCoinsGc` over the price of a roll. */
  readonly coinReturn: number;
}

/** The odds of one roll, the same in a batch of any size, while everything is in stock. */
export function oddsOf(banner: Banner): Odds {
  const totalWeight = totalWeightOf(banner.entries);
  const entries = banner.entries.map((entry) => ({
    entry,
    probability: entry.weight / totalWeight,
  }));
  const expectedCoinsGc = entries.reduce(
    (sum, { entry, probability }) =>
      entry.prize.kind === 'coins' ? sum + probability * entry.prize.amountGc : sum,
    0,
  );
  return { entries, totalWeight, expectedCoinsGc, coinReturn: expectedCoinsGc / banner.priceGc };
}
