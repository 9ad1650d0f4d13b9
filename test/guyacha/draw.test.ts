// Holds the draw to its promises: published odds, nothing given twice, no stock exceeded, every reroll told.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isOpen } from '../../src/guyacha/banner.ts';
import type { Banner, Entry, Prize } from '../../src/guyacha/banner.ts';
import { MAX_REROLLS, drawMany, drawOnce } from '../../src/guyacha/draw.ts';
import type { Availability, Draw } from '../../src/guyacha/draw.ts';
import { oddsOf } from '../../src/guyacha/odds.ts';
import { cryptoRandomness, seededRandomness } from '../../src/guyacha/randomness.ts';
import { AppError } from '../../src/shared/errors.ts';
import { guyaCoin } from '../../src/shared/guya-coin.ts';
import type { AssetId } from '../../src/shared/ids.ts';

const coins = (gc: number): Prize => ({ kind: 'coins', amountGc: guyaCoin(gc) });
const nfgt = (...assetIds: string[]): Prize => ({ kind: 'nfgt', assetIds: assetIds as AssetId[] });
const entryOf = (entryId: string, weight: number, prize: Prize, stock = Infinity): Entry => ({
  entryId,
  name: entryId,
  stars: 1,
  weight,
  stock,
  prize,
});
const bannerOf = (...entries: Entry[]): Banner => ({
  bannerId: 'banner',
  name: 'Banner',
  startAt: undefined,
  endAt: undefined,
  priceGc: guyaCoin(60),
  entries,
});
const everything: Availability = { stockLeft: (entry) => entry.stock, isFree: () => true };
const nothingOwned: Availability = { stockLeft: (entry) => entry.stock, isFree: () => false };

interface Situation {
  readonly banner: Banner;
  readonly availability: Availability;
  readonly count: number;
  readonly seed: string;
}

/** Banners of up to 8 entries over up to 6 assets, with what is left of them. */
const situations: fc.Arbitrary<Situation> = fc
  .record({
    entries: fc.array(
      fc.record({
        weight: fc.integer({ min: 1, max: 1000 }),
        stock: fc.option(fc.integer({ min: 1, max: 4 }), { nil: Infinity }),
        won: fc.integer({ min: 0, max: 4 }),
        assets: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { minLength: 1 }), {
          nil: undefined,
        }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
    free: fc.uniqueArray(fc.integer({ min: 0, max: 5 })),
    count: fc.integer({ min: 1, max: 10 }),
    seed: fc.string(),
  })
  .map(({ entries, free, count, seed }) => {
    const banner = bannerOf(
      ...entries.map(({ weight, stock, assets }, i) =>
        entryOf(`e${i}`, weight, assets ? nfgt(...assets.map(String)) : coins(i + 1), stock),
      ),
    );
    const availability: Availability = {
      stockLeft: (entry) => entry.stock - (entries[Number(entry.entryId.slice(1))]?.won ?? 0),
      isFree: (assetId) => free.includes(Number(assetId)),
    };
    return { banner, availability, count, seed };
  });

function draws({ banner, availability, count, seed }: Situation): readonly Draw[] {
  try {
    return drawMany(banner, count, availability, seededRandomness(seed));
  } catch (error) {
    if (error instanceof AppError && error.code === 'NO_PRIZE_LEFT') return [];
    throw error;
  }
}
const givenAssets = (batch: readonly Draw[]): AssetId[] =>
  batch.flatMap(({ prize }) => (prize.kind === 'nfgt' ? [prize.assetId] : []));

describe('A batch of draws', () => {
  test('gives only assets that are free and belong to the entry', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        for (const { entry, prize } of draws(situation)) {
          if (prize.kind !== 'nfgt') continue;
          expect(situation.availability.isFree(prize.assetId)).toBe(true);
          expect(entry.prize).toMatchObject({ kind: 'nfgt' });
          expect(entry.prize.kind === 'nfgt' && entry.prize.assetIds).toContain(prize.assetId);
        }
      }),
    );
  });

  test('never gives one asset twice', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const assets = givenAssets(draws(situation));
        expect(new Set(assets).size).toBe(assets.length);
      }),
    );
  });

  test('never exceeds a stock', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const batch = draws(situation);
        for (const entry of situation.banner.entries) {
          const won = batch.filter((draw) => draw.entry === entry).length;
          expect(won).toBeLessThanOrEqual(Math.max(0, situation.availability.stockLeft(entry)));
        }
      }),
    );
  });

  test('is refused whole exactly when the banner runs dry before its end', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const { banner, availability, count } = situation;
        const batch = draws(situation);
        const withoutEnd = banner.entries.some(
          (entry) => entry.prize.kind === 'coins' && availability.stockLeft(entry) === Infinity,
        );
        expect([0, count]).toContain(batch.length);
        expect(withoutEnd && batch.length === 0).toBe(false);
      }),
    );
  });

  test('is the same for the same seed', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        expect(draws(situation)).toEqual(draws(situation));
      }),
    );
  });

  test('tells every reroll, and only of entries that could not give', () => {
    fc.assert(
      fc.property(situations, (situation) => {
        const { availability } = situation;
        const given = new Set<AssetId>();
        const won = new Map<Entry, number>();
        for (const draw of draws(situation)) {
          expect(draw.rerolledFrom.length).toBeLessThanOrEqual(MAX_REROLLS);
          for (const entry of draw.rerolledFrom) {
            const { prize } = entry;
            const hasStock = availability.stockLeft(entry) > (won.get(entry) ?? 0);
            const hasAsset =
              prize.kind !== 'nfgt' ||
              prize.assetIds.some((id) => availability.isFree(id) && !given.has(id));
            expect(hasStock && hasAsset).toBe(false);
          }
          won.set(draw.entry, (won.get(draw.entry) ?? 0) + 1);
          if (draw.prize.kind === 'nfgt') given.add(draw.prize.assetId);
        }
      }),
    );
  });
});

describe('A draw', () => {
  test('whose first pick is gone tells it and gives the next', () => {
    const gone = entryOf('gone', 1_000_000, nfgt('lost'));
    const there = entryOf('there', 1, coins(5));
    const draw = drawOnce(bannerOf(gone, there), nothingOwned, seededRandomness('seed'));
    expect(draw.entry).toBe(there);
    expect(draw.rerolledFrom).toEqual(Array.from({ length: MAX_REROLLS }, () => gone));
  });

  test('of a banner with nothing left is refused', () => {
    const banner = bannerOf(entryOf('gone', 1, nfgt('lost')));
    expect(() => drawOnce(banner, nothingOwned, seededRandomness(''))).toThrow(
      expect.objectContaining({ code: 'NO_PRIZE_LEFT', data: { banner: 'Banner' } }),
    );
  });

  test('of an entry without stock goes on to another', () => {
    const banner = bannerOf(entryOf('rare', 1000, coins(9), 1), entryOf('plain', 1, coins(1)));
    const batch = drawMany(banner, 10, everything, seededRandomness('stock'));
    expect(batch.filter(({ entry }) => entry.entryId === 'rare')).toHaveLength(1);
  });
});

/** Pearson's statistic; small when counts follow the expected numbers. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce((sum, count, i) => sum + (count - expected[i]!) ** 2 / expected[i]!, 0);
}

describe('The odds', () => {
  const weights = [1, 5, 20, 100, 374];
  const banner = bannerOf(...weights.map((weight, i) => entryOf(`e${i}`, weight, coins(i + 1))));
  // 99.9 % of fair tables with 4 degrees of freedom stay below this.
  const LIMIT = 18.47;
  const countsOf = (batch: readonly Draw[]): number[] =>
    banner.entries.map((entry) => batch.filter((draw) => draw.entry === entry).length);
  const expected = weights.map((weight) => (50_000 * weight) / 500);

  test('are the published ones, one at a time', () => {
    const randomness = seededRandomness('odds of one');
    const batch = Array.from({ length: 50_000 }, () => drawOnce(banner, everything, randomness));
    expect(chiSquare(countsOf(batch), expected)).toBeLessThan(LIMIT);
  });

  test('are the same ten at a time', () => {
    const randomness = seededRandomness('odds of ten');
    const batch = Array.from({ length: 5_000 }, () => drawMany(banner, 10, everything, randomness));
    expect(chiSquare(countsOf(batch.flat()), expected)).toBeLessThan(LIMIT);
  });

  test('of what is left keep their proportions when a prize is gone', () => {
    const partly = bannerOf(...banner.entries, entryOf('gone', 5_000, nfgt('lost')));
    const randomness = seededRandomness('odds of the rest');
    const batch = Array.from({ length: 50_000 }, () => drawOnce(partly, nothingOwned, randomness));
    expect(chiSquare(countsOf(batch), expected)).toBeLessThan(LIMIT);
  });

  test('within a series are the same for each free asset', () => {
    const series = bannerOf(entryOf('series', 1, nfgt('a', 'b', 'c', 'd', 'e')));
    const randomness = seededRandomness('odds of a series');
    const batch = Array.from({ length: 5_000 }, () => drawOnce(series, everything, randomness));
    const assets = givenAssets(batch);
    const counts = ['a', 'b', 'c', 'd', 'e'].map((id) => assets.filter((a) => a === id).length);
    expect(chiSquare(counts, [1000, 1000, 1000, 1000, 1000])).toBeLessThan(LIMIT);
  });

  test('are published with each chance and the coins to expect', () => {
    const odds = oddsOf(bannerOf(entryOf('a', 3, coins(40)), entryOf('b', 1, nfgt('x'))));
    expect(odds.entries.map(({ probability }) => probability)).toEqual([0.75, 0.25]);
    expect(odds).toMatchObject({ totalWeight: 4, expectedCoinsGc: 30, coinReturn: 0.5 });
  });
});

describe('Randomness', () => {
  test.each([
    ['the machine’s', cryptoRandomness],
    ['a seed’s', seededRandomness('seed')],
  ])('stays below its bound: %s', (_name, randomness) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 48 - 1 }), (bound) => {
        const number = randomness.uniformInt(bound);
        expect(Number.isSafeInteger(number) && number >= 0 && number < bound).toBe(true);
      }),
    );
  });

  test.each([0, -1, 1.5, NaN, 2 ** 48])('of a seed refuses the bound %s', (bound) => {
    expect(() => seededRandomness('seed').uniformInt(bound)).toThrow(RangeError);
  });
});

describe('A banner', () => {
  const banner = { ...bannerOf(entryOf('a', 1, coins(1))), startAt: 1000, endAt: 2000 };

  test.each([
    [999, false],
    [1000, true],
    [1999, true],
    [2000, false],
  ])('is open from its start until before its end: at %s %s', (now, open) => {
    expect(isOpen(banner, now)).toBe(open);
  });
});
