// The short chaos run of every test run: a few kinds of fault once, and nothing is lost. `npm run chaos` has them all.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { hasSshd, sshdWord } from '../support/sshd.ts';

const CHAOS = new URL('../../dist/test/chaos/chaos.js', import.meta.url).pathname;
const TIMEOUT_MS = 1_200_000;
/** A death in the middle of a push, a full disk, a lost machine. */
const KINDS = ['kill-after-refs', 'disk-data', 'restore-age'];

interface Printed {
  readonly kinds: Readonly<Record<string, number>>;
  readonly skipped: readonly string[];
  readonly broken: readonly unknown[];
  readonly killsSurvived: number;
  readonly auditsClean: number;
  readonly transactions: number;
}

function chaos(...args: readonly string[]): {
  readonly code: number | null;
  readonly text: string;
} {
  if (!existsSync(CHAOS)) throw new Error('run `npm run build` first');
  const { status, stdout } = spawnSync(process.execPath, [CHAOS, ...args], { encoding: 'utf8' });
  return { code: status, text: stdout };
}

(hasSshd ? describe : describe.skip)(`real processes over a real sshd${sshdWord}`, () => {
  test(
    'lose nothing by a kill in the middle of a push, a full disk, a restore',
    () => {
      const only = KINDS.flatMap((kind) => ['--only', kind]);
      const { code, text } = chaos('--seed', 'every run', '--json', ...only);
      const report = JSON.parse(text) as Printed;
      expect(report.broken).toEqual([]);
      expect(code).toBe(0);
      const had = [
        ...Object.keys(report.kinds),
        ...report.skipped.map((word) => word.split(':')[0]),
      ];
      expect(had.toSorted()).toEqual(KINDS.toSorted());
      expect(report.killsSurvived).toBeGreaterThan(0);
      expect(report.transactions).toBeGreaterThan(40);
    },
    TIMEOUT_MS,
  );
});
