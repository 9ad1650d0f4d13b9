// Holds the Guyacha file that comes with the project to what its comments promise.
import { describe, expect, test } from '@jest/globals';
import { parseAssetId } from '../../src/chain/refs.ts';
import { SUBJECT_WORDS } from '../../src/guyacha/artwork.ts';
import { isOpen } from '../../src/guyacha/banner.ts';
import { loadGuyacha, shippedGuyachaFile } from '../../src/guyacha/load-guyacha.ts';
import { oddsOf } from '../../src/guyacha/odds.ts';

const guyacha = await loadGuyacha(shippedGuyachaFile());
const banner = guyacha.banners[0]!;
const odds = oddsOf(banner);

describe('The shipped banner', () => {
  test('is open at any time', () => {
    expect(isOpen(banner, 0)).toBe(true);
    expect(isOpen(banner, Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  test('costs 60 gc and gives 46 % of it back in coins', () => {
    expect(banner.priceGc).toBe(60);
    expect(odds.coinReturn).toBeCloseTo(0.46, 3);
  });

  test('has about a hundred prizes, forty of them NFGTs', () => {
    expect(banner.entries).toHaveLength(101);
    expect(banner.entries.filter(({ prize }) => prize.kind === 'nfgt')).toHaveLength(40);
  });

  test('has weights that add up to 100,000, as its comments count', () => {
    expect(odds.totalWeight).toBe(100_000);
    const share = (kind: string) =>
      odds.entries
        .filter(({ entry }) => entry.prize.kind === kind)
        .reduce((sum, { probability }) => sum + probability, 0);
    expect([share('coins'), share('card'), share('nfgt')].map((part) => part.toFixed(5))).toEqual([
      '0.52455',
      '0.42000',
      '0.05545',
    ]);
  });

  test('makes more stars rarer', () => {
    const share = (stars: number) =>
      odds.entries
        .filter(({ entry }) => entry.stars === stars)
        .reduce((sum, { probability }) => sum + probability, 0);
    const shares = [1, 2, 3, 4, 5, 6].map(share);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  });

  test('can give every asset that the bot mints for it', () => {
    const prizes = new Set(
      banner.entries.flatMap(({ prize }) => (prize.kind === 'nfgt' ? prize.assetIds : [])),
    );
    const stock = guyacha.assets.filter(({ held }) => held === 'bot').map((asset) => asset.assetId);
    expect(stock.filter((assetId) => !prizes.has(assetId))).toEqual([]);
    expect(stock.length).toBeGreaterThan(200);
  });

  test('can give every card', () => {
    const given = new Set(
      banner.entries.flatMap(({ prize }) => (prize.kind === 'card' ? [prize.cardId] : [])),
    );
    expect(guyacha.cards.filter(({ cardId }) => !given.has(cardId))).toEqual([]);
  });
});

describe('The shipped catalogue', () => {
  test('leaves sixty assets to everyone’s mint', () => {
    expect(guyacha.assets.filter(({ held }) => held === 'open')).toHaveLength(60);
  });

  test('has only ids that can be branches', () => {
    for (const { assetId } of guyacha.assets) expect(parseAssetId(assetId)).toBe(assetId);
  });

  test('names the subject of every picture in an id', () => {
    const unnamed = guyacha.assets.filter(
      ({ assetId, seriesId }) =>
        ![...assetId.split('-'), ...(seriesId ?? '').split('-')].some((word) =>
          SUBJECT_WORDS.includes(word),
        ),
    );
    expect(unnamed).toEqual([]);
  });

  test('calls no two things by one name', () => {
    const names = [...guyacha.assets, ...guyacha.cards].map(({ name }) => name);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });
});
