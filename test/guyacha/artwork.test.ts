// Holds the pictures to what others build on: always the same, a PNG of 480 x 640, small, and none like another.
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { SUBJECT_WORDS, renderArtwork, renderUnknownArtwork } from '../../src/guyacha/artwork.ts';
import type { CatalogueAsset } from '../../src/guyacha/banner.ts';
import type { AssetId } from '../../src/shared/ids.ts';

const assetOf = (assetId: string, stars = 3, seriesId?: string): CatalogueAsset => ({
  assetId: assetId as AssetId,
  name: assetId,
  stars,
  seriesId,
  series: seriesId,
  held: 'bot',
});
const hashOf = (png: Buffer): string => createHash('sha256').update(png).digest('hex');

function expectSoundPng(png: Buffer): void {
  expect(png.subarray(0, 8).toString('hex')).toBe('89504e470d0a1a0a');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([480, 640]);
  expect(png.length).toBeLessThan(100 * 1024);
}

describe('A picture', () => {
  test.each(SUBJECT_WORDS.map((word, i) => [word, (i % 6) + 1] as const))(
    'of a %s with %s stars is a small PNG of 480 x 640',
    (word, stars) => {
      expectSoundPng(renderArtwork(assetOf(`some-${word}`, stars)));
    },
  );

  test('of an asset that the catalogue does not know is one too', () => {
    expectSoundPng(renderUnknownArtwork('aHR0cHM6Ly9leGFtcGxlLmNvbS8xLnBuZw==' as AssetId));
  });

  test('has as many bytes of pixels as it says', () => {
    const png = renderArtwork(assetOf('a-fox'));
    const start = png.indexOf('IDAT') + 4;
    const pixels = inflateSync(png.subarray(start, start + png.readUInt32BE(start - 8)));
    expect(pixels).toHaveLength(640 * (480 * 4 + 1));
  });

  test('is the same whenever it is made', () => {
    const before = hashOf(renderArtwork(assetOf('lasting-fox')));
    // As many others as push it out of the cache.
    for (let i = 0; i < 70; i += 1) renderUnknownArtwork(`other-${i}` as AssetId);
    expect(hashOf(renderArtwork(assetOf('lasting-fox')))).toBe(before);
  });

  test('is made once while it is asked for again and again', () => {
    expect(renderArtwork(assetOf('a-cat'))).toBe(renderArtwork(assetOf('a-cat')));
  });

  test('differs from asset to asset, and with the stars', () => {
    const pictures = [
      renderArtwork(assetOf('a-fox', 3)),
      renderArtwork(assetOf('b-fox', 3)),
      renderArtwork(assetOf('a-fox', 4)),
      renderArtwork(assetOf('a-fox', 6)),
      renderUnknownArtwork('a-fox' as AssetId),
      renderUnknownArtwork('b-fox' as AssetId),
    ];
    expect(new Set(pictures.map(hashOf)).size).toBe(pictures.length);
  });

  test('shows what the asset’s id says before what its series says', () => {
    const bySeries = renderArtwork(assetOf('ember', 3, 'fox-club'));
    const byChance = renderArtwork(assetOf('ember', 3, 'club'));
    const inFoxClub = renderArtwork(assetOf('owl-guest', 3, 'fox-club'));
    const alone = renderArtwork(assetOf('owl-guest', 3));
    expect(hashOf(bySeries)).not.toBe(hashOf(byChance));
    expect(hashOf(inFoxClub)).toBe(hashOf(alone));
  });

  test('is made for any id', () => {
    for (const id of ['', '"><script>', '\u0000', '日本', '__proto__', 'constructor']) {
      expectSoundPng(renderUnknownArtwork(id as AssetId));
      expectSoundPng(renderArtwork(assetOf(id)));
    }
  });
});
