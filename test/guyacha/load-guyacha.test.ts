// Holds the reading of Guyacha files to its promises: what is meant is read, every fault is named where it stands.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAssetId } from '../../src/chain/refs.ts';
import { loadGuyacha, parseGuyacha, shippedGuyachaFile } from '../../src/guyacha/load-guyacha.ts';
import { MAX_FILE_BYTES } from '../../src/guyacha/guyacha-source.ts';
import { AppError } from '../../src/shared/errors.ts';
import { tempDir } from '../support/temp-dir.ts';

const SOUND = `catalogue:
  series:
    - id: cranes
      name: Paper Cranes
      held: bot
      stars: 2
      assets:
        - { id: crane, name: Crane, copies: 2 }
        - { id: gold-crane, name: Gold Crane, stars: 5 }
    - id: kites
      name: Kites
      held: open
      assets:
        - { id: kite, name: Kite, stars: 1 }
  assets:
    - { id: fox, name: Fox, stars: 6, held: bot }
  cards:
    - { id: tea, name: Tea, stars: 1 }
banners:
  - id: spring
    name: Spring
    price: 1p 2g
    start: 2026-03-20T00:00:00Z
    end: 2026-04-20T00:00:00+02:00
    entries:
      - { coins: 20, weight: 70 }
      - { coins: 1.2k, weight: 10, name: A Purse, stars: 4, id: purse, stock: 3 }
      - { card: tea, weight: 10 }
      - { series: cranes, weight: 9 }
      - { asset: fox, weight: 1, name: The Fox Itself }
`;

function faultsOf(text: string): string[] {
  try {
    parseGuyacha(text, 'g.yaml');
  } catch (error) {
    if (error instanceof AppError && error.code === 'CONFIG_INVALID') {
      return String(error.data['faults']).split('\n');
    }
    throw error;
  }
  return [];
}

/** The sound file with one part put in the place of another. */
function changed(from: string, to: string): string {
  expect(SOUND).toContain(from);
  return SOUND.replace(from, to);
}

describe('A sound file', () => {
  const guyacha = parseGuyacha(SOUND, 'g.yaml');

  test('gives its assets, copies counted', () => {
    const inCranes = { seriesId: 'cranes', series: 'Paper Cranes', held: 'bot' };
    expect(guyacha.assets).toEqual([
      { assetId: 'crane-1', name: 'Crane #1', stars: 2, ...inCranes },
      { assetId: 'crane-2', name: 'Crane #2', stars: 2, ...inCranes },
      { assetId: 'gold-crane', name: 'Gold Crane', stars: 5, ...inCranes },
      { assetId: 'kite', name: 'Kite', stars: 1, seriesId: 'kites', series: 'Kites', held: 'open' },
      {
        assetId: 'fox',
        name: 'Fox',
        stars: 6,
        seriesId: undefined,
        series: undefined,
        held: 'bot',
      },
    ]);
    expect(guyacha.cards).toEqual([{ cardId: 'tea', name: 'Tea', stars: 1 }]);
  });

  test('gives its banners', () => {
    expect(guyacha.banners).toEqual([
      {
        bannerId: 'spring',
        name: 'Spring',
        priceGc: 12_000,
        startAt: Date.UTC(2026, 2, 20),
        endAt: Date.UTC(2026, 3, 19, 22),
        entries: expect.any(Array),
      },
    ]);
  });

  test('gives entries that are named after their prizes unless they say otherwise', () => {
    const limitless = { stock: Infinity };
    expect(guyacha.banners[0]?.entries).toEqual([
      {
        ...{ entryId: 'coins-20', name: '20 gc', stars: 1, weight: 70, ...limitless },
        prize: { kind: 'coins', amountGc: 20 },
      },
      {
        ...{ entryId: 'purse', name: 'A Purse', stars: 4, weight: 10, stock: 3 },
        prize: { kind: 'coins', amountGc: 1200 },
      },
      {
        ...{ entryId: 'tea', name: 'Tea', stars: 1, weight: 10, ...limitless },
        prize: { kind: 'card', cardId: 'tea' },
      },
      {
        ...{ entryId: 'cranes', name: 'Paper Cranes', stars: 2, weight: 9, ...limitless },
        prize: { kind: 'nfgt', assetIds: ['crane-1', 'crane-2', 'gold-crane'] },
      },
      {
        ...{ entryId: 'fox', name: 'The Fox Itself', stars: 6, weight: 1, ...limitless },
        prize: { kind: 'nfgt', assetIds: ['fox'] },
      },
    ]);
  });

  test('may have no catalogue and no dates', () => {
    const { assets, banners } = parseGuyacha(
      'banners: [{ id: b, name: B, price: 60, entries: [{ coins: 1, weight: 1 }] }]',
      'g.yaml',
    );
    expect(assets).toEqual([]);
    expect(banners[0]).toMatchObject({ startAt: undefined, endAt: undefined });
  });

  test('may leave a part of its catalogue empty', () => {
    expect(
      faultsOf(
        changed('    - { id: tea, name: Tea, stars: 1 }\n', '').replace('card: tea', 'coins: 3'),
      ),
    ).toEqual([]);
  });
});

describe('A fault is named where it stands:', () => {
  test.each([
    ['weight: 70', 'weight: 0', '26:30 weight must be a positive whole number'],
    ['weight: 70', 'weight: 1.5', '26:30 weight must be a positive whole number'],
    ['weight: 70', 'weight: "7"', '26:30 weight must be a positive whole number'],
    ['weight: 70', 'weight: 1e99', '26:30 weight must be a positive whole number'],
    ['weight: 70', 'weight: 1000000001', '26:30 weight must be at most 1000000000'],
    [', weight: 70', '', '26:9 weight is missing'],
    ['stock: 3', 'stock: -1', '27:79 stock must be a positive whole number'],
    ['stars: 6', 'stars: 7', '16:36 stars must be a whole number from 1 to 6'],
    ['stars: 2', 'stars: 0', '6:14 stars must be a whole number from 1 to 6'],
    ['id: tea', 'id: Tea', '18:13 id must be 1 to 63 of a-z, 0-9 and dashes, a dash not first'],
    ['id: fox', 'id: metadata', '16:13 id is a name that the chain keeps for itself'],
    [
      'id: fox',
      'id: ../x',
      '16:13 id must be 1 to 150 of A-Z, a-z, 0-9, “_”, “=” and dashes, a letter or digit first',
    ],
    ['id: fox', 'id: 12', '16:13 id must be text; put it in quotes'],
    ['id: gold-crane', 'id: crane-2', '9:17 id crane-2 is used twice'],
    ['id: kite,', 'id: fox,', '16:13 id fox is used twice'],
    ['id: kites', 'id: cranes', '10:11 id cranes is used twice'],
    ['held: open', 'held: maybe', '12:13 held must be bot or open'],
    ['name: Spring', 'name: ""', '21:11 name must not be empty'],
    ['name: Spring', 'name: "a\\nb"', '21:11 name must be plain text on one line'],
    ['name: Spring', 'name: "\\ud800"', '21:11 name must be plain text on one line'],
    ['name: Spring', 'name: " x"', '21:11 name must not begin or end with a space'],
    ['price: 1p 2g', 'price: -5', '22:12 price must be an amount of gc such as 60, 1.2k or 1p 2g'],
    ['price: 1p 2g', 'price: all', '22:12 price must be an amount of gc such as 60, 1.2k or 1p 2g'],
    ['price: 1p 2g', 'price: [1]', '22:12 price must be an amount of gc such as 60, 1.2k or 1p 2g'],
    [
      '2026-03-20T00:00:00Z',
      '2026-03-20',
      '23:12 start must be an instant with its time zone, such as 2026-04-01T00:00:00Z',
    ],
    [
      '2026-03-20T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '23:12 start must be an instant with its time zone, such as 2026-04-01T00:00:00Z',
    ],
    ['2026-03-20T00:00:00Z', '2026-04-20T00:00:00Z', '24:10 end must be after start'],
    ['card: tea', 'card: coffee', '28:17 card is not in the catalogue'],
    ['asset: fox', 'asset: ox', '30:18 asset is not in the catalogue'],
    [
      'asset: fox',
      'asset: kite',
      "30:18 asset is open to everyone's mint and cannot be a prize; make it held: bot",
    ],
    ['series: cranes', 'series: geese', '29:19 series is not in the catalogue'],
    [
      'series: cranes',
      'series: kites',
      "29:19 series is open to everyone's mint and cannot be a prize; make it held: bot",
    ],
    ['{ card: tea,', '{', '28:9 an entry gives exactly one of coins, card, asset, series'],
    [
      '{ card: tea,',
      '{ card: tea, coins: 5,',
      '28:9 an entry gives exactly one of coins, card, asset, series',
    ],
    [
      ', id: purse',
      ', id: tea',
      '28:9 id tea is used twice in this banner; give one an id of its own',
    ],
    [
      'weight: 70',
      'wieght: 70, weight: 70',
      '26:22 wieght is not known here; known are id, name, stars, weight, stock, coins, card, asset, series',
    ],
    [
      '        - { id: kite, name: Kite, stars: 1 }\n',
      '        []\n',
      '14:9 assets must not be empty',
    ],
    [', stars: 1 }\n  assets', ' }\n  assets', '14:11 stars is missing, here and in the series'],
    ['{ id: fox, name: Fox, stars: 6, held: bot }', 'fox', '16:7 each of assets must be a mapping'],
    ['copies: 2', 'copies: 1001', '8:45 copies must be at most 1000'],
    ['name: Fox', 'name: Fox, name: Fix', '16:29 Map keys must be unique'],
    ['name: Fox', 'name: !!binary Fox', '16:33 tags (!name) are not read here; write plain values'],
    ['name: Fox', 'name: *fox', '16:24 aliases (*name) are not read here; write the value out'],
  ])('%s -> %s', (from, to, fault) => {
    expect(faultsOf(changed(from, to))).toContain(`g.yaml:${fault}`);
  });

  test('all at once, in the order of the file', () => {
    const text = changed('weight: 70', 'weight: 0')
      .replace('stars: 6', 'stars: 7')
      .replace('card: tea', 'card: coffee')
      .replace('price: 1p 2g', 'cost: 60');
    expect(faultsOf(text).map((fault) => fault.split(' ').slice(0, 2).join(' '))).toEqual([
      'g.yaml:16:36 stars',
      'g.yaml:20:5 price',
      'g.yaml:22:5 cost',
      'g.yaml:26:30 weight',
      'g.yaml:28:17 card',
    ]);
  });

  test('a banner twice, or without entries', () => {
    const one = '{ id: b, name: B, price: 60, entries: [] }';
    expect(faultsOf(`banners:\n  - ${one}\n  - ${one}\n`)).toEqual([
      'g.yaml:2:43 entries must not be empty',
      'g.yaml:3:11 id b is used twice',
      'g.yaml:3:43 entries must not be empty',
    ]);
  });

  test('weights whose sum is too large to draw from', () => {
    const entries = Array.from(
      { length: 1001 },
      (_, i) => `{ coins: 1, id: e${i}, weight: 1000000000 }`,
    );
    const text = `banners: [{ id: b, name: B, price: 60, entries: [${entries.join()}] }]`;
    expect(faultsOf(text)).toEqual([expect.stringContaining('the weights add up to more than')]);
  });

  test('more assets than are reckoned with', () => {
    const assets = Array.from({ length: 101 }, (_, i) => `{ id: a${i}, name: A, copies: 1000 }`);
    const series = `[{ id: s, name: S, held: bot, stars: 1, assets: [${assets.join()}] }]`;
    const text = `catalogue: { series: ${series} }\nbanners: [{ id: b, name: B, price: 60, entries: [{ coins: 1, weight: 1 }] }]`;
    expect(faultsOf(text)).toEqual([expect.stringContaining('more than 100000 assets')]);
  });

  test('more copies than are reckoned with, though they are of one asset', () => {
    const assets = Array.from({ length: 103 }, () => '{ id: a, name: A, copies: 1000 }');
    const series = `[{ id: s, name: S, held: bot, stars: 1, assets: [${assets.join()}] }]`;
    const text = `catalogue: { series: ${series} }\nbanners: [{ id: b, name: B, price: 60, entries: [{ coins: 1, weight: 1 }] }]`;
    // Those of the first hundred are made, and most of their faults are only counted.
    expect(faultsOf(text)).toContainEqual(expect.stringMatching(/^and \d{5} more faults/));
  });

  test.each([
    ['nothing', '', '1:1 the file must be a mapping'],
    ['one word', 'banners', '1:1 the file must be a mapping'],
    ['no banners', 'catalogue: {}', '1:1 banners is missing'],
    [
      'two documents',
      `${SOUND}---\n${SOUND}`,
      '31:1 Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    [
      'a broken list',
      'banners: [',
      '1:11 Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['endless nesting', '- '.repeat(20_000), '1:1 the file is nested too deeply'],
    [
      'too much',
      ' '.repeat(MAX_FILE_BYTES + 1),
      `1:1 the file is larger than ${MAX_FILE_BYTES} bytes`,
    ],
  ])('a file of %s', (_what, text, fault) => {
    expect(faultsOf(text)).toContain(`g.yaml:${fault}`);
  });

  test('a thousand faults are counted, not all printed', () => {
    const faults = faultsOf(`banners:\n${'  - x\n'.repeat(1000)}`);
    expect(faults).toHaveLength(201);
    expect(faults.at(-1)).toBe('and 800 more faults of g.yaml');
  });
});

describe('Any text', () => {
  const lines = SOUND.split('\n');
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '- ',
    ': ',
    '&a ',
    '*a',
    '!!set ',
    '? ',
    '|',
    '>',
    '%YAML',
    '---',
    '...',
    '\t',
    '#',
    '"',
    "'",
    '\u0000',
    '\ud800',
    '<<: ',
    'null',
    '1e400',
    '__proto__: ',
    '\n  ',
  ];
  const damaged = fc
    .array(fc.tuple(fc.nat(SOUND.length), fc.constantFrom(...pieces), fc.nat(3)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((edits) =>
      edits.reduce(
        (text, [i, piece, cut]) => text.slice(0, i) + piece + text.slice(i + cut),
        SOUND,
      ),
    );
  const shuffled = fc.shuffledSubarray(lines).map((some) => some.join('\n'));
  const values = fc.json().map((json) => `catalogue: ${json}\nbanners: [${json}]`);

  test('is read or refused with its faults, and nothing else happens', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), damaged, shuffled, values), (text) => {
        for (const fault of faultsOf(text)) expect(fault).toMatch(/^g\.yaml:[1-9]\d*:[1-9]\d* \S/);
      }),
      { numRuns: 1000 },
    );
  });

  test('as an asset’s id is a legal branch or refused', () => {
    const id = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[\w=.-]{1,12}$/),
      fc.constantFrom('well-known', 'a.lock', 'x'),
    );
    fc.assert(
      fc.property(id, (text) => {
        const faults = faultsOf(
          changed('id: fox,', `id: ${JSON.stringify(text)},`).replace('asset: fox', 'coins: 1'),
        );
        expect(faults.length > 0 || parseAssetId(text) === text).toBe(true);
      }),
    );
  });
});

describe('A file on disk', () => {
  test('is read', async () => {
    const { banners } = await loadGuyacha(shippedGuyachaFile());
    expect(banners.length).toBeGreaterThan(0);
  });

  test('that is missing is refused by its name', async () => {
    await expect(loadGuyacha('/no/such/guyacha.yaml')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      data: {
        faults: expect.stringMatching(/^\/no\/such\/guyacha\.yaml cannot be read: .*ENOENT/),
      },
    });
  });

  test('that is no UTF-8 is refused', async () => {
    const file = join(tempDir(), 'latin.yaml');
    await writeFile(file, Buffer.from([0x62, 0xe9]));
    await expect(loadGuyacha(file)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
