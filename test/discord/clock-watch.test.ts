// The watch over this machine's clock.
import { expect, test } from '@jest/globals';
import { clockWatch } from '../../src/discord/clock-watch.ts';
import { keepingLogger } from './bot.ts';

/** The time by a clock that is so far from ours. */
const clockAt = (offMs: number): string => new Date(Date.now() + offMs).toUTCString();

test.each([
  ['ahead', -60_000, 60],
  ['behind', 60_000, -60],
])('says once, when it goes off, that the clock is %s', (_name, offMs, aheadS) => {
  const logger = keepingLogger();
  const watch = clockWatch(logger);
  for (const date of [clockAt(0), clockAt(offMs), clockAt(offMs)]) watch(date);
  expect(logger.lines).toHaveLength(1);
  const said = (logger.lines[0]?.facts as { readonly aheadS: number }).aheadS;
  expect(Math.abs(said - aheadS)).toBeLessThanOrEqual(1);
  watch(clockAt(0));
  watch(clockAt(offMs));
  expect(logger.lines).toHaveLength(2);
});

test('says nothing of a clock that agrees, nor of a date that is none', () => {
  const logger = keepingLogger();
  const watch = clockWatch(logger);
  for (const date of [clockAt(0), clockAt(-1_000), null, '', 'yesterday']) watch(date);
  expect(logger.lines).toEqual([]);
});
