// `aibot chain show`: names what was rewritten, changes nothing, and what it prints puts the chain back.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord } from '../../src/chain/record.ts';
import { branchOf } from '../../src/chain/refs.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { auditFromOutside } from '../../src/cli/audit.ts';
import { findRewritesFromOutside, printRewrites, type RewriteReport } from '../../src/cli/chain.ts';
import { shellWord } from '../../src/cli/printable.ts';
import { parseConfig } from '../../src/config.ts';
import { Closers, openCore } from '../../src/core.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { TransactionId } from '../../src/shared/ids.ts';
import { sshFixture } from '../support/beacon-git.ts';
import { asset, owner } from '../support/open-test-node.ts';
import { openRealHouse, type RealHouse } from '../support/real-house.ts';
import { beforeRemoval, git, tempDir } from '../support/temp-dir.ts';

const AIBOT = new URL('../../dist/program/src/cli/aibot.js', import.meta.url).pathname;
const MEMBER = '101';
/** Everything that git takes in a name and a shell or a terminal would act on. */
const HOSTILE = `it's-$(touch\${IFS}hacked)"\`id\`;&|<>!#é\u202e`;

let env: Record<string, string>;

beforeEach(() => {
  env = { DATA_DIR: join(tempDir(), 'data') };
});

const show = (ambient: NodeJS.ProcessEnv = process.env): Promise<RewriteReport> =>
  findRewritesFromOutside(parseConfig(env), { logger: silentLogger, ambient });
const embedded = (): string => join(env['DATA_DIR'] ?? '', 'beacon.git');

async function openHouse(): Promise<RealHouse> {
  const { DATA_DIR: dataDir = '', ...others } = env;
  const house = await openRealHouse({ dataDir, env: others });
  beforeRemoval(() => house.close());
  return house;
}

/** A member's asset, with where its branch and its one tag stand. */
async function grantOne(house: RealHouse) {
  const [assetId = asset('')] = await house.grantAssets(MEMBER, 1);
  const tip = house.core.node.chain.findTip(assetId);
  if (tip === undefined) throw new Error('nothing was minted');
  return {
    assetId,
    branch: branchOf(assetId),
    tag: tip.transactionId,
    commitId: tip.commitId,
    tip,
  };
}

/** Runs what the report prints, as an operator would who copies it. */
function putBack(report: RewriteReport, given: NodeJS.ProcessEnv = process.env): void {
  const commands = printRewrites(report)
    .split('\n')
    .filter((line) => line.startsWith('  git '));
  expect(commands).toHaveLength(report.refs.length);
  const cwd = tempDir();
  execFileSync('bash', ['-e', '-c', commands.join('\n')], { env: given, cwd, stdio: 'pipe' });
  expect(existsSync(join(cwd, 'hacked'))).toBe(false);
}

test('finds nothing beside a running bot whose chain goes on', async () => {
  const house = await openHouse();
  await grantOne(house);
  expect(await show()).toMatchObject({ since: null, refs: [], assets: [] });
});

describe('a rewritten chain', () => {
  test('is named with whom it concerns, nothing is changed, and the commands put it back', async () => {
    const house = await openHouse();
    const { assetId, branch, tag, commitId, tip } = await grantOne(house);
    const other = await grantOne(house);
    house.git('update-ref', '-d', `refs/heads/${branch}`);
    house.git('update-ref', `refs/tags/${tag}`, other.commitId);
    const before = house.snapshot();
    const report = await show();
    expect(report).toMatchObject({
      since: null,
      refs: [
        { kind: 'branch', name: branch, assetId, expected: commitId, found: null },
        { kind: 'tag', name: tag, assetId, expected: commitId, found: other.commitId },
      ],
      assets: [{ assetId, ownerId: tip.ownerId, holder: MEMBER }],
    });
    expect(house.snapshot()).toEqual(before);

    await house.core.node.sync();
    const { rewriting } = await house.core.node.status();
    expect((await show()).since).toBe(rewriting?.since);
    putBack(report);
    expect(await show()).toMatchObject({ since: null, refs: [], assets: [] });
    await house.core.node.sync();
    expect((await house.core.node.status()).rewriting).toBeNull();
    await grantOne(house);
    expect((await house.app.audit()).findings).toEqual([]);
  });

  test('ends the command with 65 while the bot is stopped, and with 0 once it is put back', async () => {
    if (!existsSync(AIBOT)) throw new Error('run `npm run build` first');
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [AIBOT, 'chain', 'show', ...args], {
        cwd: tempDir(),
        env: { PATH: process.env['PATH'], ...env },
      });
    const house = await openHouse();
    const { branch, commitId } = await grantOne(house);
    const epoch = house.core.beacon.epoch;
    await house.close();
    git(embedded(), ['update-ref', `refs/heads/${branch}`, epoch]);
    const ended = await run('--json').catch((error: unknown) => error);
    expect(ended).toMatchObject({ code: 65 });
    expect((ended as { stderr: string }).stderr).toContain(
      'The chain was rewritten. Refs that do not go on from what this node knows, listed above: 1.',
    );
    const report = JSON.parse((ended as { stdout: string }).stdout) as RewriteReport;
    expect(report.refs).toMatchObject([{ name: branch, expected: commitId, found: epoch }]);
    putBack(report);
    expect((await run()).stdout).toContain('Nothing is rewritten');
  });

  test('of a node that lost its index is known from the journal, and gets no command', async () => {
    const house = await openHouse();
    const { assetId, branch, tag } = await grantOne(house);
    await house.close();
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(env['DATA_DIR'] ?? '', `index.sqlite${end}`), { force: true });
    }
    git(embedded(), ['update-ref', '-d', `refs/heads/${branch}`]);
    git(embedded(), ['update-ref', '-d', `refs/tags/${tag}`]);
    const report = await show();
    const gone = { assetId, expected: null, found: null, putBack: null };
    expect(report.refs).toHaveLength(2);
    expect(report.refs).toEqual(
      expect.arrayContaining([
        { kind: 'tag', name: tag, ...gone },
        { kind: 'branch', name: branch, ...gone },
      ]),
    );
    expect(report.assets).toMatchObject([{ assetId, holder: MEMBER }]);
    expect(printRewrites(report)).toContain('Known from the journal only: 2.');
  });

  test('behind ssh, with every ref gone and a hostile name, is put back from the scratch repository', async () => {
    const fixture = sshFixture();
    const { path } = fixture;
    env['BEACON_URL'] = `ssh://git@example.invalid${path}`;
    const bin = join(path, '..', 'bin');
    const ambient = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const closers = new Closers();
    beforeRemoval(() => closers.closeAll());
    const core = await openCore(parseConfig(env), closers, { logger: silentLogger, ambient });
    const transactionId = '00000000-0000-4000-8000-000000000001' as TransactionId;
    const assetId = asset(HOSTILE);
    const record = encodeRecord({
      ...{ transactionId, transactionTime: 1, assetId, ownerId: owner('o\u001b[2J'), metadata: {} },
      successorHash: hashPassphrase('a passphrase'),
    });
    const commitId = fixture.addCommit({ parents: [core.beacon.epoch], record });
    git(path, ['update-ref', `refs/heads/${branchOf(assetId)}`, commitId]);
    git(path, ['update-ref', `refs/tags/${transactionId}`, commitId]);
    await core.node.sync();
    expect(core.node.chain.findTip(assetId)?.commitId).toBe(commitId);
    // The validator presents itself on `well-known`, whenever it comes to it.
    const listRefs = (): string =>
      git(path, ['for-each-ref', 'refs/heads/main', 'refs/heads/nfgt-*', 'refs/tags']);
    const before = listRefs();
    const names = git(path, ['for-each-ref', '--format=%(refname)']).split('\n').filter(Boolean);
    for (const name of names) git(path, ['update-ref', '-d', name]);

    const report = await show(ambient);
    expect(report.refs.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'branch main',
      `branch ${branchOf(assetId)}`,
      `tag ${transactionId}`,
    ]);
    expect(listRefs()).toBe('');
    // eslint-disable-next-line no-control-regex -- what a terminal acts on is exactly what must not be there
    expect(printRewrites(report)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    putBack(report, ambient);
    expect(listRefs()).toBe(before);
    expect((await show(ambient)).refs).toEqual([]);
  });
});

describe('what is not there', () => {
  test('is not made: neither a beacon at the wrong path nor a data directory', async () => {
    await expect(show()).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(existsSync(env['DATA_DIR'] ?? '')).toBe(false);
    await (await openHouse()).close();
    const nowhere = join(tempDir(), 'nowhere.git');
    env['BEACON_URL'] = nowhere;
    await expect(show()).rejects.toMatchObject({ code: 'BEACON_UNUSABLE' });
    const audit = auditFromOutside(parseConfig(env), {
      logger: silentLogger,
      ambient: process.env,
    });
    await expect(audit).rejects.toMatchObject({ code: 'BEACON_UNUSABLE' });
    expect(existsSync(nowhere)).toBe(false);
  });

  test('is not made on an empty remote either, by a node that lost its index', async () => {
    await (await openHouse()).close();
    const { path } = sshFixture();
    env['BEACON_URL'] = `ssh://git@example.invalid${path}`;
    rmSync(join(env['DATA_DIR'] ?? '', 'index.sqlite'));
    const PATH = `${join(path, '..', 'bin')}:${process.env['PATH'] ?? ''}`;
    await expect(show({ ...process.env, PATH })).rejects.toMatchObject({ code: 'BEACON_UNUSABLE' });
    expect(git(path, ['for-each-ref'])).toBe('');
  });
});

test('any text is one word of a command, and no part of it acts in a shell or a terminal', () => {
  const texts = fc.sample(fc.string({ unit: 'grapheme', minLength: 1 }), 500);
  const hostile = [HOSTILE, `\u202e\\'$x`, `\u0007a1`, '-n', '~', '*', '\\', "'", 'a b'];
  const all = [...texts, ...hostile].filter((text) => !text.includes('\0') && text.isWellFormed());
  const script = `printf '%s\\0' ${all.map(shellWord).join(' ')}`;
  expect(script).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(execFileSync('bash', ['-c', script]).toString('utf8').split('\0').slice(0, -1)).toEqual(
    all,
  );
});
