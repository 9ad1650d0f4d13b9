// Half a minute of the soak: the real bot, real git, members by the hundred, every kind of trouble, and the books agree.
import { expect, test } from '@jest/globals';
import { removeSoak, runSoak, type SoakOptions } from './run-soak.ts';
import { judge } from './verdict.ts';

test('a bot in trouble answers everybody, loses nothing, and ends cleanly', async () => {
  const options: SoakOptions = {
    minutes: 0.4,
    rate: 8,
    seed: 'short',
    members: 60,
    beacon: 'bare',
    faults: true,
    stock: { prizes: 60, mintable: 60 },
    pace: 0.1,
    // A machine that is busy with something else answers late; that is not what this is about.
    firstAnswerMs: 30_000,
  };
  const figures = await runSoak(options);
  const broken = judge(figures, options).filter(({ isMet }) => !isMet);
  expect({ broken, missing: figures.missing, differences: figures.books.differences }).toEqual({
    broken: [],
    missing: [],
    differences: [],
  });
  expect(figures.books.told).toBeGreaterThan(30);
  expect(Object.values(figures.strikes).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(5);
  removeSoak(figures);
}, 300_000);
