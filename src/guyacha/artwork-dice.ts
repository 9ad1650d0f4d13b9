// What the pictures share: choices that follow from an asset's id, and the colours they are painted in.
import { seededRandomness } from './randomness.ts';

/** Choices for one picture; the same seed always makes the same ones. */
export interface Dice {
  /** A whole number from `low` to `high`. */
  between(low: number, high: number): number;
  pick<Item>(items: readonly [Item, ...Item[]]): Item;
  /** True in `percent` of 100. */
  chance(percent: number): boolean;
}

export function diceOf(seed: string): Dice {
  const randomness = seededRandomness(seed);
  return {
    between: (low, high) => low + randomness.uniformInt(high - low + 1),
    pick: (items) => items[randomness.uniformInt(items.length)] ?? items[0],
    chance: (percent) => randomness.uniformInt(100) < percent,
  };
}

/** The colours of one picture, `#rrggbb`. */
export interface Palette {
  readonly skyTop: string;
  readonly skyBottom: string;
  readonly far: string;
  readonly near: string;
  /** The subject's main colour, its second one, its brightest and its darkest. */
  readonly main: string;
  readonly second: string;
  readonly light: string;
  readonly ink: string;
  readonly isNight: boolean;
}

const palette = (colours: string, isNight: boolean): Palette => {
  const [skyTop, skyBottom, far, near, main, second, light, ink] = colours.split(' ');
  return { skyTop, skyBottom, far, near, main, second, light, ink, isNight } as Palette;
};

// skyTop skyBottom far near main second light ink
export const PALETTES: readonly [Palette, ...Palette[]] = [
  palette('#2b2350 #e8937c #6b4a80 #3a2856 #f3b34c #e5616b #fff1d6 #241b3f', true),
  palette('#0f1b3d #48699c #243a66 #16264b #f6c667 #e8756a #f4f1ff #0d1530', true),
  palette('#f4b9a7 #fdeccf #dd988c #b3656d #cf4358 #2e7f86 #fffaf0 #5b2b3b', false),
  palette('#b4ddcd #f8f3d9 #86bba1 #4f8f79 #e0608a #f0ad3d #fffdf4 #274b46', false),
  palette('#0d4a62 #73c8b5 #1f6f7d #0f4f60 #f2724b #f7c65b #f1fbf4 #08303f', true),
  palette('#f0a955 #fbe6b8 #cf7042 #94402c #a62f2c #2f6663 #fff6e0 #4f1f1a', false),
  palette('#bcd0e8 #f8fbfe #a9bdd8 #748cb0 #c23b4c #35598c #ffffff #2b3a57', false),
  palette('#3a1a4c #c1638f #6c2f6c #431d54 #f59a83 #7fd0c4 #fff0f3 #2a1038', true),
  palette('#33493f #cfcb93 #5f7a5b #3c5646 #e8b04a #c6533f #fbf7e1 #1f2f2a', true),
  palette('#a9c7f0 #fbe3ee #b6a5d8 #8576b8 #ee7fa0 #5a6fc0 #ffffff #3c3567', false),
];

/** `share` of `to` in `from`, 0 to 1. */
export function mix(from: string, to: string, share: number): string {
  const channel = (colour: string, i: number): number => parseInt(colour.slice(i, i + 2), 16);
  return [1, 3, 5].reduce((mixed, i) => {
    const value = Math.round(channel(from, i) * (1 - share) + channel(to, i) * share);
    return mixed + value.toString(16).padStart(2, '0');
  }, '#');
}

/** Rounds coordinates: the SVG stays small and the same on every machine. */
export function at(value: number): number {
  return Math.round(value * 10) / 10;
}

/** `count` things, in one text. */
export function repeat(count: number, draw: (i: number) => string): string {
  return Array.from({ length: count }, (_, i) => draw(i)).join('');
}
