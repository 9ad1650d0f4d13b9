// A thousand seeds of the whole, and the proof that a seed tells the same story twice.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { MUTATIONS } from './mutations.ts';
import type { Tally } from './tally.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const SIMULATOR = join(ROOT, 'dist/test/simulator/main.js');
/** Every kind of fault that the simulator counts. */
const FAULTS = [
  'push-refused',
  'push-refused-for-good',
  'push-answer-lost',
  'push-cut',
  'push-late',
  'push-half-written',
  'push-overtaken',
  'push-slow',
  'refs-half-seen',
  'history-rewritten',
  'foreign-hand-over',
  'remote-away',
  'remote-read-only',
  'remote-slow',
  'reserved-answer-lost',
  'database-busy',
  'database-full-at-commit',
  'database-full-rolled-back',
  'disk-full',
  'disk-full-for-files',
  'index-lost',
  'redelivered',
  'discord-redelivered',
  'discord-500',
  'discord-outage',
  'discord-429',
  'discord-answer-lost',
  'gateway-closed',
  'killed',
  'killed-before-commit',
  'killed-after-commit',
  'power-cut',
  'stopped',
];
const SEEDS = process.env['SIMULATED_SEEDS'] ?? '1000';

async function run(...flags: readonly string[]): Promise<string> {
  if (!existsSync(SIMULATOR)) throw new Error('run `npm run build` first');
  const given = [SIMULATOR, ...flags];
  const { stdout } = await promisify(execFile)(process.execPath, given, {
    maxBuffer: 64 * 1024 * 1024,
    // It ends with 1 when a seed has broken; what it says tells more.
  }).catch((error: unknown) => error as { stdout: string });
  return stdout;
}

async function simulate(...flags: readonly string[]): Promise<Tally> {
  return JSON.parse(await run('--json', ...flags)) as Tally;
}

test('nothing is lost, doubled or stuck in a thousand seeds, and each fault has a rule to take out', async () => {
  const { broken, seeds, counts } = await simulate('--seeds', SEEDS, '--jobs', '2');
  expect(broken).toEqual([]);
  expect(seeds).toBe(Number(SEEDS));
  const guarded = new Set(Object.values(MUTATIONS).flatMap(({ guards }) => guards));
  expect([...FAULTS].filter((fault) => !guarded.has(fault))).toEqual([]);
  expect([...FAULTS].filter((fault) => counts[fault] === undefined)).toEqual([]);
}, 1_800_000);

test('the same seed tells the same story in another process, alone or after others', async () => {
  const [alone, again, among] = await Promise.all([
    simulate('--seed', '9'),
    simulate('--seed', '9'),
    simulate('--from', '7', '--seeds', '3'),
  ]);
  expect(alone.digests).toHaveLength(1);
  expect(again.digests).toEqual(alone.digests);
  expect(among.digests.at(-1)).toBe(alone.digests[0]);
});

test('misses every rule that is taken out of the program, within a thousand seeds', async () => {
  const lines = (await run('--mutations', '--seeds', '1000', '--jobs', '2')).trim().split('\n');
  expect(lines.filter((line) => !/ seed \d+: /.test(line))).toEqual([]);
  expect(lines).toHaveLength(Object.keys(MUTATIONS).length);
}, 1_800_000);
