// Kills a bot full of members with SIGKILL, at random moments and at every named step, and audits what is left.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { SETTLEMENT_STEPS } from '../../src/app/settlements.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const WORKER = join(ROOT, 'dist/test/support/crash-worker.js');
const AIBOT = join(ROOT, 'dist/program/src/cli/aibot.js');
const RANDOM_KILLS = 24;

interface Audit {
  readonly findings: readonly unknown[];
  readonly held: number;
  readonly onChain: number;
}

interface Life {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** The audit after recovery; rejects when the process ended before. */
  readonly audited: Promise<Audit>;
  readonly ended: Promise<NodeJS.Signals | number | null>;
  readonly errors: string[];
}

function startLife(dataDir: string, step = '-', passes = 0): Life {
  if (!existsSync(WORKER)) throw new Error('run `npm run build` first');
  const child = spawn(process.execPath, [WORKER, dataDir, step, String(passes)]);
  const lines: string[] = [];
  const errors: string[] = [];
  beforeRemoval(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const ended = once(child, 'close').then(
    ([code, signal]) => (signal ?? code) as NodeJS.Signals | number | null,
  );
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const audited = new Promise<Audit>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      if (line.startsWith('AUDIT ')) resolve(JSON.parse(line.slice(6)) as Audit);
    });
    void ended.then((how) => reject(new Error(`ended by ${String(how)}: ${errors.join('')}`)));
  });
  audited.catch(() => undefined);
  return { process: child, lines, audited, ended, errors };
}

async function kill(life: Life): Promise<void> {
  life.process.kill('SIGKILL');
  await life.ended;
}

/** Every commit of every interaction chain has one tag, and there is no other tag. */
function expectNoStrayTag(dataDir: string): void {
  const beacon = join(dataDir, 'beacon.git');
  const lines = (...args: string[]): string[] => git(beacon, args).split('\n').toSorted();
  const commits = lines('rev-list', '--glob=refs/heads/nfgt-*', '--not', 'refs/heads/main');
  expect(lines('for-each-ref', '--format=%(objectname)', 'refs/tags')).toEqual(commits);
}

async function expectSound(dataDir: string): Promise<void> {
  const life = startLife(dataDir);
  const audit = await life.audited;
  await kill(life);
  expect(audit.findings).toEqual([]);
  expect(audit.held).toBe(audit.onChain);
  expectNoStrayTag(dataDir);
}

test(`loses nothing in ${RANDOM_KILLS} kills at random moments while eight members act`, async () => {
  const dataDir = tempDir();
  let kills = 0;
  let acts = 0;
  const seen: Audit[] = [];
  while (kills < RANDOM_KILLS) {
    const life = startLife(dataDir);
    // Every fourth life may end before it has recovered.
    if (kills % 4 === 3) {
      await delay(randomInt(200, 900));
    } else {
      seen.push(await life.audited);
      await delay(randomInt(20, 700));
    }
    expect(life.errors).toEqual([]);
    await kill(life);
    acts += life.lines.filter((line) => line === 'ACT').length;
    kills += 1;
  }
  for (const audit of seen) expect(audit).toMatchObject({ findings: [], held: audit.onChain });
  await expectSound(dataDir);
  expect(acts).toBeGreaterThan(RANDOM_KILLS);
  const env = { ...process.env, DATA_DIR: dataDir };
  const printed = execFileSync(process.execPath, [AIBOT, 'audit'], { env, encoding: 'utf8' });
  expect(printed).toContain('The audit is clean');
}, 300_000);

describe('killed at the step', () => {
  const steps = SETTLEMENT_STEPS.filter((step) => step !== 'voided');

  test.each(steps.flatMap((step) => [0, 7].map((passes) => [step, passes] as const)))(
    '%s (after passing it %d times), it recovers whole',
    async (step, passes) => {
      const dataDir = tempDir();
      const life = startLife(dataDir, step, passes);
      expect(await life.ended).toBe('SIGKILL');
      await expectSound(dataDir);
    },
    120_000,
  );
});
