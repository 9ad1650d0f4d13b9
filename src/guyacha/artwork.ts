// The picture of an asset: made by the project itself, always the same for the same asset, its subject taken from its id.
import { Resvg } from '@resvg/resvg-js';
import type { AssetId } from '../shared/ids.ts';
import { cat, fox, hare, koi, owl, whale } from './artwork-animals.ts';
import { backdrop, cardSvg } from './artwork-card.ts';
import { PALETTES, diceOf, mix, repeat } from './artwork-dice.ts';
import type { Ground } from './artwork-card.ts';
import type { Dice, Palette } from './artwork-dice.ts';
import {
  boat,
  chime,
  comet,
  crane,
  kite,
  lantern,
  moon,
  mushroom,
  teacup,
  umbrella,
} from './artwork-things.ts';
import type { CatalogueAsset } from './banner.ts';
import { repackPng } from './repack-png.ts';

type Subject = {
  readonly draw: (dice: Dice, palette: Palette) => string;
  readonly ground: Ground;
};

/** A word in an asset's or its series's id names the subject; ids without such a word get one by chance. */
const SUBJECTS: ReadonlyMap<string, Subject> = new Map<string, Subject>([
  ['fox', { draw: fox, ground: 'hills' }],
  ['cat', { draw: cat, ground: 'hills' }],
  ['hare', { draw: hare, ground: 'hills' }],
  ['owl', { draw: owl, ground: 'none' }],
  ['koi', { draw: koi, ground: 'pond' }],
  ['whale', { draw: whale, ground: 'water' }],
  ['boat', { draw: boat, ground: 'water' }],
  ['lantern', { draw: lantern, ground: 'hills' }],
  ['crane', { draw: crane, ground: 'none' }],
  ['moon', { draw: moon, ground: 'water' }],
  ['teacup', { draw: teacup, ground: 'none' }],
  ['umbrella', { draw: umbrella, ground: 'hills' }],
  ['comet', { draw: comet, ground: 'hills' }],
  ['mushroom', { draw: mushroom, ground: 'hills' }],
  ['chime', { draw: chime, ground: 'none' }],
  ['kite', { draw: kite, ground: 'hills' }],
]);

/** The words that an id can name a subject with. */
export const SUBJECT_WORDS: readonly string[] = [...SUBJECTS.keys()];

/** Rendering takes some 30 ms of the one thread that also answers members; a page of a collection is asked for often. */
const MAX_CACHED = 64;
const cache = new Map<string, Buffer>();

/** A PNG of 480 x 640 pixels, below 100 KiB. Callers share the buffer and leave it as it is. */
export function renderArtwork(asset: CatalogueAsset): Buffer {
  const key = JSON.stringify([asset.assetId, asset.stars, asset.seriesId]);
  return cached(key, () => artworkSvg(asset));
}

/** The same for an asset of which only the id is known: a woven pattern that is like no other asset's. */
export function renderUnknownArtwork(assetId: AssetId): Buffer {
  return cached(JSON.stringify([assetId]), () => unknownSvg(assetId));
}

function cached(key: string, draw: () => string): Buffer {
  const known = cache.get(key);
  // What was just used goes to the end: the first key is then the one unused for longest.
  cache.delete(key);
  const picture = known ?? render(draw());
  cache.set(key, picture);
  const [oldest] = cache.keys();
  if (cache.size > MAX_CACHED && oldest !== undefined) cache.delete(oldest);
  return picture;
}

function render(svg: string): Buffer {
  return repackPng(new Resvg(svg, { font: { loadSystemFonts: false } }).render().asPng());
}

function artworkSvg({ assetId, stars, seriesId }: CatalogueAsset): string {
  const dice = diceOf(assetId);
  const palette = dice.pick(PALETTES);
  const { draw, ground } = subjectOf(assetId, seriesId, dice);
  const turned = dice.chance(40) ? 'scale(-1.16 1.16)' : 'scale(1.16)';
  const subject = `<g transform="translate(240 290) ${turned}">${draw(dice, palette)}</g>`;
  return cardSvg(backdrop(dice, palette, stars, ground) + subject, stars, palette);
}

function subjectOf(assetId: string, seriesId: string | undefined, dice: Dice): Subject {
  // The asset's own last word wins: a moonlit fox is a fox.
  const words = [...(seriesId ?? '').split('-'), ...assetId.split('-')];
  const word = words.findLast((part) => SUBJECTS.has(part));
  const byChance = dice.between(0, SUBJECTS.size - 1);
  const subject = SUBJECTS.get(word ?? SUBJECT_WORDS[byChance] ?? '');
  if (subject === undefined) throw new RangeError(`There is no subject ${byChance}`);
  return subject;
}

/** A cloth of mirrored tiles. */
function unknownSvg(assetId: string): string {
  const dice = diceOf(assetId);
  const palette = dice.pick(PALETTES);
  const { main, second, light, near, far, skyTop } = palette;
  const size = 72;
  const half = size / 2;
  const tiles = repeat(4 * 7, (i) => {
    const [column, row] = [i % 4, Math.floor(i / 4)];
    const colour = dice.pick([main, second, light, far, near]);
    const under = dice.pick([near, far, skyTop, mix(main, near, 0.6)]);
    const shape = dice.pick([
      `<path d="M0 0H${size}L0 ${size}Z"/>`,
      `<path d="M0 0A${size} ${size} 0 0 1 ${size} ${size}H0Z"/>`,
      `<circle cx="${half}" cy="${half}" r="${half - 9}"/>`,
      `<path d="M${half} 4L${size - 4} ${half}L${half} ${size - 4}L4 ${half}Z"/>`,
      `<path d="M0 0H${half}V${size}H0Z"/>`,
    ]);
    const turn = `rotate(${dice.between(0, 3) * 90} ${half} ${half})`;
    const tile = `<rect width="${size + 1}" height="${size + 1}" fill="${under}"/><g transform="${turn}" fill="${colour}">${shape}</g>`;
    const [x, y] = [column * size, row * size];
    const left = 240 - size * 4 + x;
    return `<g transform="translate(${left} ${36 + y})">${tile}</g><g transform="translate(${480 - left} ${36 + y}) scale(-1 1)">${tile}</g>`;
  });
  return cardSvg(`<rect width="480" height="640" fill="${near}"/>${tiles}`, 0, palette);
}
