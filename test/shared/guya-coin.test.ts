// Holds the one type of an amount: what members may type, what is refused, and that printing and parsing agree.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../src/shared/errors.ts';
import {
  MAX_AMOUNT_GC,
  formatGuyaCoin,
  guyaCoin,
  parseGuyaCoin,
} from '../../src/shared/guya-coin.ts';

const AVAILABLE = 4321;
const amounts = fc.oneof(
  fc.integer({ min: 1, max: 20_000 }),
  fc.integer({ min: 1, max: MAX_AMOUNT_GC }),
);

/** The amount, or undefined when it is refused as AMOUNT_INVALID; any other error is a failure. */
function read(text: string, available = AVAILABLE): number | undefined {
  try {
    return parseGuyaCoin(text, available);
  } catch (error) {
    if (error instanceof AppError && error.code === 'AMOUNT_INVALID') return undefined;
    throw error;
  }
}

describe('An amount', () => {
  test.each([
    ['1', 1],
    ['1200', 1200],
    ['1,200', 1200],
    ['1,234,567', 1_234_567],
    ['0007', 7],
    ['1.2k', 1200],
    ['1.2K', 1200],
    ['1.001k', 1001],
    ['1.0010k', 1001],
    ['1.0k', 1000],
    ['0.5k', 500],
    ['3m', 3_000_000],
    ['3.5M', 3_500_000],
    ['0.000001m', 1],
    ['1p', 10_000],
    ['1p 2g', 12_000],
    ['2g 1p', 12_000],
    ['1P  2G 3s 45c', 12_345],
    ['1,000p', 10_000_000],
    ['0p 1c', 1],
    ['all', AVAILABLE],
    [' ALL ', AVAILABLE],
    ['  42\n', 42],
    [String(MAX_AMOUNT_GC), MAX_AMOUNT_GC],
    ['100000000p', MAX_AMOUNT_GC],
  ])('is read as members write it: %j is %s gc', (text, gc) => {
    expect(read(text)).toBe(gc);
  });

  test.each([
    '0',
    '0k',
    '0p',
    '00',
    '-1',
    '-1p',
    '+1',
    '1.5',
    '1.',
    '.5k',
    '1e3',
    '1e21',
    'NaN',
    'Infinity',
    '１０',
    '１k',
    '१२',
    '١٢',
    '1\u212a',
    '',
    ' ',
    '\u0000',
    '1 200',
    '1 2 3',
    '0x10',
    '0b1',
    '1_000',
    '1,20',
    '12,00',
    ',100',
    '1,200,',
    '1,200k',
    '1.2345k',
    '1.0000001m',
    '1.2p',
    '1kk',
    '1mk',
    'k',
    'p',
    '1p 2p',
    '1p 2',
    '1p2g',
    '1p, 2g',
    '5x',
    'al',
    'all all',
    'alle',
    '1k all',
    '$5',
    '5 gc',
    'null',
    'undefined',
    '__proto__',
    '1000000000001',
    '9007199254740993',
    '100000001p',
    '9999999999999m',
    '9'.repeat(400),
    `1${',000'.repeat(200)}`,
    `${'9'.repeat(13)}p ${'9'.repeat(13)}g`,
  ])('is refused when it is anything else: %j', (text) => {
    expect(read(text)).toBeUndefined();
  });

  test('of all that one has is refused when one has nothing', () => {
    expect(read('all', 0)).toBeUndefined();
  });

  test('that is refused is named in the error, cut to forty characters', () => {
    expect(() => parseGuyaCoin('x'.repeat(100), 1)).toThrow(
      expect.objectContaining({ data: { amount: 'x'.repeat(40) } }),
    );
  });

  test.each([0, -1, 1.5, NaN, Infinity, -Infinity, MAX_AMOUNT_GC + 1, 2 ** 53])(
    'is never the number %s',
    (gc) => {
      expect(() => guyaCoin(gc)).toThrow(expect.objectContaining({ code: 'AMOUNT_INVALID' }));
    },
  );

  test('is a whole, positive, bounded number whatever was typed', () => {
    const typed = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^[\d.,kmpgsc all+-]{1,24}$/),
    );
    fc.assert(
      fc.property(typed, (text) => {
        const gc = read(text) ?? 1;
        expect(Number.isSafeInteger(gc) && gc >= 1 && gc <= MAX_AMOUNT_GC).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('in thousands is exact to the last coin', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (gc) => {
        const fraction = String(gc % 1000).padStart(3, '0');
        expect(read(`${Math.floor(gc / 1000)}.${fraction}k`)).toBe(gc);
      }),
    );
  });
});

describe('Printing an amount', () => {
  test.each([
    [0, '0 gc'],
    [7, '7 gc'],
    [99, '99 gc'],
    [100, '100 gc (1s)'],
    [12_345, '12,345 gc (1p 2g 3s 45c)'],
    [10_000_000, '10,000,000 gc (1,000p)'],
    [-60, '-60 gc'],
    [-12_000, '-12,000 gc (-1p 2g)'],
  ])('%s gives %s', (gc, text) => {
    expect(formatGuyaCoin(gc)).toBe(text);
  });

  test('and reading it again gives the same amount', () => {
    fc.assert(
      fc.property(amounts, (gc) => {
        const [plain = '', denominations = plain] = formatGuyaCoin(gc).split(/ gc(?: \(|$)/);
        expect(read(plain)).toBe(gc);
        expect(read(denominations.replace(')', '') || plain)).toBe(gc);
      }),
    );
  });
});
