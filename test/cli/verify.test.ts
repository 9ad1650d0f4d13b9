// `aibot verify` as an operator runs it: what it prints, how it ends, and what it leaves behind.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import type { VerificationReport } from '../../src/chain/verify-report.ts';
import { printVerification, showProgress } from '../../src/cli/verify.ts';
import { sshFixture } from '../support/beacon-git.ts';
import { makeChain } from '../support/damaged-chain.ts';
import { git, tempDir } from '../support/temp-dir.ts';

const AIBOT = new URL('../../dist/program/src/cli/aibot.js', import.meta.url).pathname;
const run = promisify(execFile);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command with these settings and nothing of the machine's own. */
async function verify(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Ended> {
  if (!existsSync(AIBOT)) throw new Error('run `npm run build` first');
  const cwd = tempDir();
  const options = { cwd, env: { PATH: process.env['PATH'], HOME: cwd, ...env } };
  try {
    return { code: 0, ...(await run(process.execPath, [AIBOT, 'verify', ...args], options)) };
  } catch (error) {
    return error as Ended;
  }
}

const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => `${name} ${statSync(join(path, name)).mtimeMs}`)
    .sort();

describe('a clean chain', () => {
  test('ends with 0, says so, is not written to, and stderr stays empty without a terminal', async () => {
    const { path } = await makeChain();
    const before = filesOf(path);
    const { code, stdout, stderr } = await verify([path]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('The chain is clean: every rule holds.');
    expect(stdout).toContain('signed: 0 of 16 commits, 0 of them checked and good');
    expect(stdout).toContain('proven: 0 of 10 hand-overs, not proven: 10, not provable: 0');
    expect(filesOf(path)).toEqual(before);
  });

  test('of a URL is copied to a directory that is gone afterwards', async () => {
    const { path } = sshFixture();
    const chain = await makeChain();
    git(path, ['fetch', '--quiet', chain.path, '+refs/*:refs/*']);
    const temporary = join(tempDir(), 'tmp');
    mkdirSync(temporary);
    const PATH = `${join(path, '..', 'bin')}:${process.env['PATH'] ?? ''}`;
    const url = `ssh://git@example.invalid${path}`;
    const { code, stdout } = await verify(['--json', url], { PATH, TMPDIR: temporary });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ isClean: true, counts: { transactions: 16 } });
    expect(readdirSync(temporary)).toEqual([]);
  });
});

describe('a damaged chain', () => {
  test('ends with 65 and one JSON document that counts all and names as many as asked', async () => {
    const { path, three, git: run } = await makeChain();
    for (const tag of three.transactionIds) run('update-ref', '-d', `refs/tags/${tag}`);
    const args = [path, '--json', '--max-findings', '2'];
    const { code, stdout, stderr } = await verify(args);
    expect(code).toBe(65);
    expect(stderr).toMatch(/^VERIFICATION_FAILED: The verification found 3 things/);
    const { findings } = JSON.parse(stdout) as VerificationReport;
    expect(findings).toMatchObject({ total: 3, byKind: { 'tag-missing': 3 } });
    expect(findings.shown.map(({ commitId }) => commitId)).toEqual(three.commitIds.slice(0, 2));
  });

  test('is told to people by kind, branch and commit, without a character that moves a terminal', async () => {
    const { path, git: run, epoch } = await makeChain();
    run('update-ref', 'refs/tags/\u009b31m\u202e', epoch);
    const { stdout } = await verify([path, '--epoch-branch', 'main']);
    expect(stdout).toContain(`stray-tag: ${epoch}: the tag \\u{9b}31m\\u{202e} stands on a commit`);
  });

  test('that is long says how many of which kind were left out', async () => {
    const { path, three, git: run } = await makeChain();
    for (const tag of three.transactionIds) run('update-ref', '-d', `refs/tags/${tag}`);
    const { stdout } = await verify([path, '--max-findings', '1']);
    expect(stdout).toContain('… and 2 more; in all: tag-missing 3');
  });
});

describe('what cannot be verified', () => {
  test.each([
    ['nothing at the path', 78, ['./nowhere'], 'INPUT_INVALID'],
    ['a directory that is no repository', 65, ['.'], 'BEACON_UNUSABLE'],
    ['a host that does not answer', 69, ['ssh://git@127.0.0.1:1/x'], 'BEACON_UNREACHABLE'],
    ['a URL with a password', 78, ['https://a:b@example.invalid/x'], 'CONFIG_INVALID'],
    ['another transport', 78, ['ext::sh -c true'], 'CONFIG_INVALID'],
    ['an epoch branch that cannot be one', 78, ['.', '--epoch-branch', 'nfgt-x'], 'CONFIG_INVALID'],
    ['a limit that is no number', 78, ['.', '--max-findings', 'all'], 'INPUT_INVALID'],
    ['no beacon', 78, [], "missing required argument 'beacon'"],
    ['an unknown option', 78, ['.', '--fast'], 'unknown option'],
  ])('%s ends with %i', async (_, code, args, words) => {
    const ended = await verify(args, { DISCORD_TOKEN: 'not a token of mine' });
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(ended.stderr).toContain(words);
  });
});

describe('progress', () => {
  const shown = (isTTY: boolean): string => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
    const progress = showProgress(stream);
    progress.onProgress(3, 7);
    progress.stop();
    return String(stream.read() ?? '');
  };

  test('is shown in a terminal', () => {
    expect(shown(true)).toContain('of 7 commits');
  });

  test('is not shown elsewhere', () => {
    expect(shown(false)).toBe('');
  });
});

test('the report for people ends with what was counted', () => {
  const none = { total: 0, byKind: {}, shown: [] };
  const text = printVerification({
    beacon: '/b',
    epoch: { branch: 'main', commitId: 'a'.repeat(40) as never },
    isClean: true,
    counts: { assets: 8_403, transactions: 10_454, tags: 10_454, annotatedTags: 0 },
    signed: { of: 10_454, commits: 10_400, good: 10_300, notChecked: 100 },
    handOvers: { of: 2_051, proven: 2_000, notProven: 50, notProvable: 1 },
    findings: none,
    notes: none,
  });
  expect(text.split('\n').slice(-6)).toEqual([
    '  assets: 8,403',
    '  transactions: 10,454',
    '  tags: 10,454, of them annotated: 0',
    '  signed: 10,400 of 10,454 commits, 10,300 of them checked and good',
    '  not checked: 100 signatures',
    '  proven: 2,000 of 2,051 hand-overs, not proven: 50, not provable: 1',
  ]);
});
