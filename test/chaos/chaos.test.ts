// The short chaos run of every test run: each kind of fault once, and nothing is lost. The long one is `npm run chaos`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { hasSshd, sshdWord } from '../support/sshd.ts';

const CHAOS = new URL('../../dist/test/chaos/chaos.js', import.meta.url).pathname;
const TIMEOUT_MS = 1_200_000;

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
    'lose nothing under any kind of fault',
    () => {
      const { code, text } = chaos('--seed', 'every run', '--json');
      const report = JSON.parse(text) as Printed;
      expect(report.broken).toEqual([]);
      expect(code).toBe(0);
      const kinds = chaos('--list').text.trim().split('\n');
      const had = [
        ...Object.keys(report.kinds),
        ...report.skipped.map((word) => word.split(':')[0]),
      ];
      expect(had.toSorted()).toEqual(kinds.map((line) => line.split('\t')[0]).toSorted());
      expect(report.killsSurvived).toBeGreaterThan(3);
      expect(report.transactions).toBeGreaterThan(40);
    },
    TIMEOUT_MS,
  );
});
