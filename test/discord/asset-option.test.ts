// How asset ids travel in choices.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AssetId } from '../../src/shared/ids.ts';
import { assetChoices, resolveAssetId } from '../../src/discord/asset-option.ts';

const nothing = (): Promise<never[]> => Promise.resolve([]);

describe('an asset choice', () => {
  test('leads back to its asset, whatever the length of its id, among those that begin alike', async () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/), {
      minLength: 1,
      maxLength: 25,
    });
    await fc.assert(
      fc.asyncProperty(ids, fc.integer({ min: 0, max: 130 }), async (tails, headLength) => {
        const offered = tails.map((tail) => {
          const assetId = `${'x'.repeat(headLength)}~${tail}` as AssetId;
          return { assetId, label: assetId };
        });
        const find = (text: string): Promise<typeof offered> =>
          Promise.resolve(offered.filter(({ assetId }) => assetId.includes(text)));
        for (const [index, { name, value }] of assetChoices(offered).entries()) {
          expect(name.length).toBeLessThanOrEqual(100);
          expect(value.length).toBeLessThanOrEqual(100);
          expect(await resolveAssetId(value, find)).toBe(offered[index]?.assetId);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('that was typed in full is taken as it is', async () => {
    expect(await resolveAssetId(' m-137-19 ', nothing)).toBe('m-137-19');
  });

  test('that is gone meanwhile is left for the app to refuse', async () => {
    expect(await resolveAssetId('…tail', nothing)).toBe('tail');
  });
});
