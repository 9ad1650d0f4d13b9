// `aibot node` as an operator runs it: real processes on a beacon that plain git looks at.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { describe, expect, test } from '@jest/globals';
import { hasPushBegun, holdPushes } from '../support/hold-pushes.ts';
import { listDescendants, signal } from '../support/process-tree.ts';
import { git, tempDir } from '../support/temp-dir.ts';
import {
  beaconIn,
  eventually,
  spawnNode,
  startNodeProcess,
  type RunningApi,
} from './node-process.ts';

interface Created {
  readonly transaction_id: string;
  readonly successor_passphrase: string;
}

const LAMP = { asset_id: 'lamp', owner_id: 'ada', metadata: { name: 'A lamp' } };

const env = (folder: string, data = 'data'): Record<string, string> => ({
  BEACON_URL: beaconIn(folder),
  DATA_DIR: join(folder, data),
  BEACON_SYNC_INTERVAL_MS: '100',
});
const observerEnv = (folder: string): Record<string, string> => ({
  ...env(folder, 'mirror'),
  NODE_ROLE: 'observer',
});

async function create(node: RunningApi, body: object, key?: string): Promise<Created> {
  const answer = await node.create({ ...body }, key);
  expect(answer.status).toBe(200);
  return answer.body['transaction'] as Created;
}

async function committed(node: RunningApi, { transaction_id: id }: Created): Promise<void> {
  await eventually(async () => {
    const { body } = await node.get(`/api/transaction/status/${id}`);
    expect(body['rejected']).toBe(false);
    return body['committed'] === true ? true : undefined;
  });
}

/** What plain git sees of the interaction chains: every branch's commits and every tag's. */
function refsOf(beacon: string): { readonly commits: string[]; readonly tags: string[] } {
  const lines = (...args: string[]): string[] =>
    git(beacon, args).split('\n').filter(Boolean).toSorted();
  return {
    commits: lines('rev-list', '--glob=refs/heads/nfgt-*', '--not', 'refs/heads/main'),
    tags: lines('for-each-ref', '--format=%(objectname)', 'refs/tags'),
  };
}

function refusePushes(beacon: string): void {
  mkdirSync(join(beacon, 'hooks'), { recursive: true });
  writeFileSync(join(beacon, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
}

/** Transactions that the stopped node has answered for and whose end it does not know. */
function pendingIn(folder: string): unknown {
  const db = new BetterSqlite3(join(folder, 'data', 'state.sqlite'), { readonly: true });
  try {
    return db.prepare("SELECT count(*) FROM journal WHERE state = 'pending'").pluck().get();
  } finally {
    db.close();
  }
}

const pushHasBegun = (beacon: string): Promise<true> =>
  eventually(() => hasPushBegun(beacon) || undefined);

describe('a validator', () => {
  test('puts what callers send on the chain, and hands assets over for the passphrase that it gave', async () => {
    const folder = tempDir();
    const node = await startNodeProcess(env(folder), folder);
    expect(node.stdout()).toContain('The node is a validator');
    const minted = await create(node, LAMP);
    await committed(node, minted);
    const record = JSON.parse(git(beaconIn(folder), ['show', 'nfgt-lamp:metadata.json'])) as object;
    expect(record).toMatchObject({ ...LAMP, transaction_id: minted.transaction_id });
    const commit = git(beaconIn(folder), ['rev-parse', 'refs/heads/nfgt-lamp']);
    expect(git(beaconIn(folder), ['rev-parse', `refs/tags/${minted.transaction_id}`])).toBe(commit);

    const wrong = await node.create({ ...LAMP, owner_id: 'ben', passphrase: 'a guess' });
    expect(wrong).toMatchObject({ status: 403, body: { code: 'PASSPHRASE_MISMATCH' } });
    const passphrase = minted.successor_passphrase;
    const handedOver = await create(node, { ...LAMP, owner_id: 'ben', passphrase });
    await committed(node, handedOver);
    expect(refsOf(beaconIn(folder)).tags).toHaveLength(2);
  });

  test('runs no part of the bot: no coin, no catalogue, no Discord, no owner of its own', async () => {
    const folder = tempDir();
    const token = { DISCORD_TOKEN: 'is-not-used' };
    const node = await startNodeProcess({ ...env(folder), ...token }, folder);
    const { body } = await node.get('/api/node');
    expect(body).toMatchObject({ bot_owner_id: null, assets: 0, transactions: 0, faults: [] });
    expect(refsOf(beaconIn(folder))).toEqual({ commits: [], tags: [] });
    expect(node.stdout()).not.toMatch(/playground|discord/i);
    expect(await (await fetch(`${node.url}/`)).text()).toContain('<title>NFGT node</title>');
  });

  test('knows every state and gives a repeated request its first answer, also after a restart', async () => {
    const folder = tempDir();
    const first = await startNodeProcess(env(folder), folder);
    const minted = await create(first, LAMP, 'only the caller knows');
    await committed(first, minted);
    expect((await first.stop()).code).toBe(0);

    const second = await startNodeProcess(env(folder), folder);
    await committed(second, minted);
    expect(await create(second, LAMP, 'only the caller knows')).toEqual(minted);
    const other = await second.create({ ...LAMP, owner_id: 'ben' }, 'only the caller knows');
    expect(other).toMatchObject({ status: 409, body: { code: 'KEY_REUSED' } });
    expect(refsOf(beaconIn(folder)).tags).toHaveLength(1);
    expect((await second.stop('SIGINT')).code).toBe(0);
  });

  test('finishes after a kill what it had answered for, with one tag', async () => {
    const folder = tempDir();
    const first = await startNodeProcess(env(folder), folder);
    const release = holdPushes(beaconIn(folder));
    const minted = await create(first, LAMP, 'k');
    await pushHasBegun(beaconIn(folder));
    const { body } = await first.get(`/api/transaction/status/${minted.transaction_id}`);
    expect(body).toMatchObject({ committed: false, rejected: false });
    await first.stop('SIGKILL');
    release();

    const second = await startNodeProcess(env(folder), folder);
    await committed(second, minted);
    expect(await create(second, LAMP, 'k')).toEqual(minted);
    const { commits, tags } = refsOf(beaconIn(folder));
    expect(tags).toHaveLength(1);
    expect(tags).toEqual(commits);
  });

  test('refuses a data directory that another process works on, also one that stands still, until that is gone', async () => {
    const folder = tempDir();
    const first = await startNodeProcess(env(folder), folder);
    const minted = await create(first, LAMP);
    await committed(first, minted);
    for (const state of ['SIGCONT', 'SIGSTOP'] as const) {
      first.child.kill(state);
      const { code, stderr, stdout } = await spawnNode(env(folder), folder).ended;
      expect({ state, code, stdout }).toEqual({ state, code: 75, stdout: '' });
      expect(stderr).toMatch(/^DATA_DIR_IN_USE: /m);
    }
    await first.stop('SIGKILL');
    await committed(await startNodeProcess(env(folder), folder), minted);
  });

  test('finishes on SIGTERM what is under way, and takes nothing new', async () => {
    const folder = tempDir();
    const node = await startNodeProcess(env(folder), folder);
    const release = holdPushes(beaconIn(folder));
    await create(node, LAMP);
    await pushHasBegun(beaconIn(folder));
    const stopped = node.stop();
    await eventually(async () => {
      const answer = await node.create({ ...LAMP, asset_id: 'late' }).catch(() => undefined);
      return answer?.status === 200 ? undefined : true;
    });
    release();
    expect((await stopped).code).toBe(0);
    const { commits, tags } = refsOf(beaconIn(folder));
    expect(tags).toEqual(commits);
    expect(git(beaconIn(folder), ['rev-parse', '--verify', 'refs/heads/nfgt-lamp'])).not.toBe('');
    expect(pendingIn(folder)).toBe(0);
  });

  test('stops with code 0 and in time though the beacon hangs, and the next one finishes what it had answered for', async () => {
    const folder = tempDir();
    const first = await startNodeProcess(env(folder), folder);
    const release = holdPushes(beaconIn(folder));
    const minted = await create(first, LAMP, 'k');
    await pushHasBegun(beaconIn(folder));
    const gits = listDescendants(first.child.pid ?? 0);
    expect(gits.map(({ command }) => command).join()).toContain('push --atomic');
    const { code, stderr } = await first.stop();
    expect(code).toBe(0);
    // It closed by itself, and no git of its own is left to push behind the next one's back.
    expect(stderr).not.toContain('gave up waiting');
    expect(
      gits.filter(({ pid, command }) => /^git .*push/.test(command) && signal(pid, 0)),
    ).toEqual([]);
    release();
    const second = await startNodeProcess(env(folder), folder);
    await committed(second, minted);
    expect(await create(second, LAMP, 'k')).toEqual(minted);
    const { commits, tags } = refsOf(beaconIn(folder));
    expect(tags).toHaveLength(1);
    expect(tags).toEqual(commits);
  });

  test('names every fault of its configuration and starts nothing', async () => {
    const folder = tempDir();
    const faults = { NODE_ROLE: 'king', HTTP_PORT: 'many', BEACON_SYNC_INTERVAL_MS: '1' };
    const { code, stderr, stdout } = await spawnNode({ ...env(folder), ...faults }, folder).ended;
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    for (const name of Object.keys(faults)) expect(stderr).toContain(name);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('an observer', () => {
  test('mirrors what a validator writes, and refuses to write', async () => {
    const folder = tempDir();
    const validator = await startNodeProcess(env(folder), folder);
    const observer = await startNodeProcess(observerEnv(folder), folder);
    expect(observer.stdout()).toContain('The node is an observer');
    const minted = await create(validator, LAMP);
    await committed(observer, minted);
    const spot = await observer.get('/api/query/spot/asset/lamp');
    expect(spot.body['transaction']).toMatchObject({ owner_id: 'ada' });
    expect((await observer.get('/api/node')).body).toMatchObject({ role: 'observer', assets: 1 });

    const before = refsOf(beaconIn(folder));
    const passphrase = minted.successor_passphrase;
    const refused = await observer.create({ ...LAMP, owner_id: 'ben', passphrase });
    expect(refused).toMatchObject({ status: 403, body: { code: 'NODE_IS_OBSERVER' } });
    expect(refsOf(beaconIn(folder))).toEqual(before);
    expect((await observer.stop()).code).toBe(0);
  });

  test('keeps no passphrase, no key and no journal: its data directory comes back from the beacon', async () => {
    const folder = tempDir();
    const validator = await startNodeProcess(env(folder), folder);
    const minted = await create(validator, LAMP);
    await committed(validator, minted);
    const first = await startNodeProcess(observerEnv(folder), folder);
    await committed(first, minted);
    await first.stop();
    const kept = readdirSync(join(folder, 'mirror')).toSorted();
    expect(kept).toEqual(['git', 'index.sqlite', 'lock.sqlite']);

    rmSync(join(folder, 'mirror'), { recursive: true });
    const second = await startNodeProcess(observerEnv(folder), folder);
    await committed(second, minted);
  });

  test("opened where a validator worked, still knows what became of that one's transactions", async () => {
    const folder = tempDir();
    const validator = await startNodeProcess(env(folder), folder);
    refusePushes(beaconIn(folder));
    const { transaction_id: id } = await create(validator, LAMP);
    const rejected = { committed: false, rejected: true, reason: 'BEACON_REFUSED' };
    await eventually(async () => {
      const { body } = await validator.get(`/api/transaction/status/${id}`);
      return body['rejected'] === true ? true : undefined;
    });
    await validator.stop();
    const observer = await startNodeProcess({ ...env(folder), NODE_ROLE: 'observer' }, folder);
    expect((await observer.get(`/api/transaction/status/${id}`)).body).toEqual(rejected);
  });
});
