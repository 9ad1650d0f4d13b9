// The one type of an amount of GuyaCoin: parsed once, printed in both forms.
import { AppError } from './errors.ts';

declare const brand: unique symbol;
/** A whole number of gc, 1 to {@link MAX_AMOUNT_GC}. 1p = 10g = 100s = 10,000c, 1c = 1 gc. */
export type GuyaCoin = number & { readonly [brand]: 'GuyaCoin' };

/** The largest amount that one transfer may move: 100,000,000p. */
export const MAX_AMOUNT_GC = 1_000_000_000_000;

const DENOMINATIONS = [
  ['p', 10_000],
  ['g', 1_000],
  ['s', 100],
  ['c', 1],
] as const;
const UNIT_GC = new Map<string, number>(DENOMINATIONS);
const PLAIN = /^(\d{1,13}|\d{1,3}(?:,\d{3})+)$/;
const SCALED = /^(\d{1,13})(?:\.(\d{1,9}))?([km])$/;
const DENOMINATED_PART = /^(\d{1,13}|\d{1,3}(?:,\d{3})+)([pgsc])$/;
const SCALES = { k: 3, m: 6 } as const;

/**
 * Checks that a number is an amount.
 * @throws AppError AMOUNT_INVALID for zero, negative, fractional, unsafe or too large numbers.
 */
export function guyaCoin(gc: number): GuyaCoin {
  if (!Number.isSafeInteger(gc) || gc < 1 || gc > MAX_AMOUNT_GC) {
    throw new AppError('AMOUNT_INVALID', { amount: String(gc) });
  }
  return gc as GuyaCoin;
}

/**
 * Reads what a member typed: `1200`, `1,200`, `1.2k`, `3m`, `1p 2g`, `all`.
 * @param available what `all` stands for, in gc.
 * @throws AppError AMOUNT_INVALID for anything else, and for what is not a whole, positive amount.
 */
export function parseGuyaCoin(text: string, available: number): GuyaCoin {
  // Only ASCII letters: toLowerCase() also makes a k out of the Kelvin sign.
  const normal = text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const gc = normal === 'all' ? available : (parseNumber(normal) ?? parseDenominated(normal));
  if (gc === undefined) throw new AppError('AMOUNT_INVALID', { amount: text.slice(0, 40) });
  return guyaCoin(gc);
}

function parseNumber(text: string): number | undefined {
  if (PLAIN.test(text)) return Number(text.replaceAll(',', ''));
  const scaled = SCALED.exec(text);
  if (scaled === null) return undefined;
  const [, whole = '', fraction = '', suffix] = scaled;
  const zeros = SCALES[suffix as keyof typeof SCALES];
  // Decimal digits are shifted as text: 1.001k is 1001, and no binary fraction ever rounds money.
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > zeros) return undefined;
  return Number(whole + digits.padEnd(zeros, '0'));
}

function parseDenominated(text: string): number | undefined {
  const seen = new Set<string>();
  let gc = 0;
  for (const part of text.split(/\s+/)) {
    const [, count, unit = ''] = DENOMINATED_PART.exec(part) ?? [];
    const unitGc = UNIT_GC.get(unit);
    if (count === undefined || unitGc === undefined || seen.has(unit)) return undefined;
    seen.add(unit);
    gc += Number(count.replaceAll(',', '')) * unitGc;
  }
  return gc;
}

/** Prints a number of gc, also zero or a negative balance change, as `12,345 gc (1p 2g 3s 45c)`. */
export function formatGuyaCoin(gc: number): string {
  const plain = `${gc.toLocaleString('en-US')} gc`;
  return Math.abs(gc) < 100 ? plain : `${plain} (${formatDenominations(gc)})`;
}

/** Prints a number of gc in its denominations only: `1p 2g 3s 45c`. */
function formatDenominations(gc: number): string {
  let rest = Math.abs(gc);
  const parts: string[] = [];
  for (const [unit, unitGc] of DENOMINATIONS) {
    const count = Math.floor(rest / unitGc);
    rest -= count * unitGc;
    if (count > 0) parts.push(`${count.toLocaleString('en-US')}${unit}`);
  }
  return `${gc < 0 ? '-' : ''}${parts.join(' ') || '0c'}`;
}
