// Holds refused acts to the promise: a clear word to the member alone, and not one row or ref changed.
import { expect } from '@jest/globals';
import { isEphemeral, textOf } from '../support/discord-stand-in.ts';
import type { RealHouse } from '../support/real-house.ts';
import type { Exchange } from '../../src/playground/api.ts';
import { wordOf } from './acts.ts';

/** Long enough for a write that comes after the answer. */
const AFTERMATH_MS = 60;

/** Expects that an act is refused in words like these. */
export type Refuse = (act: Exchange, words: string | RegExp) => Promise<void>;

/** Every act of `run` is refused, and nothing at all changes by any of them. */
export async function expectNothingMoves(
  house: RealHouse,
  run: (refuse: Refuse) => Promise<void>,
): Promise<void> {
  const before = house.snapshot();
  await run(async (act, words) => {
    const word = await wordOf(act);
    const text = textOf(word);
    if (typeof words === 'string') expect(text).toContain(words);
    else expect(text).toMatch(words);
    expect(isEphemeral(word)).toBe(true);
    expectClear(text);
    // The refs cost a process; they are compared once, at the end.
    expect(house.tables()).toEqual(before.tables);
  });
  await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS));
  expect(house.snapshot()).toEqual(before);
}

/** What stopped, what is true now, what to do: three sentences, one of which says what did not happen. */
function expectClear(text: string): void {
  expect(text).toMatch(/Nothing (?:was|moved)|did nothing/);
  expect(text.match(/[.?!](?=\s|$)/g)?.length ?? 0).toBeGreaterThanOrEqual(3);
  expect(text).not.toMatch(/\{|undefined|\[object|Error/);
}
