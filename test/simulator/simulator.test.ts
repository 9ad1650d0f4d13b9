// Many seeds of the whole, and the proof that a seed tells the same story twice.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { Tally } from './tally.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const SIMULATOR = join(ROOT, 'dist/test/simulator/main.js');
const SEEDS = process.env['SIMULATED_SEEDS'] ?? '100';

async function simulate(...flags: readonly string[]): Promise<Tally> {
  if (!existsSync(SIMULATOR)) throw new Error('run `npm run build` first');
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [SIMULATOR, '--json', ...flags], {
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: unknown) => error as { stdout: string });
  return JSON.parse(stdout) as Tally;
}

test('nothing is lost, doubled or stuck in many seeds', async () => {
  const { broken, seeds } = await simulate('--seeds', SEEDS, '--jobs', '2');
  expect(broken).toEqual([]);
  expect(seeds).toBe(Number(SEEDS));
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
