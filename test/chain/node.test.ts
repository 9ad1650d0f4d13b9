// The node over a beacon in memory: what it accepts, how it answers trouble of the remote, and what it tells.
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { NodeEvents } from '../../src/chain/node.ts';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { Database } from '../../src/app/ports/database.ts';
import { openDatabase } from '../../src/db/open-database.ts';
import type { SettlementId, TransactionId } from '../../src/shared/ids.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { asset, openTestNode, owner, type TestNode } from '../support/open-test-node.ts';

let remote: MemoryRemote;
let open: TestNode[];

beforeEach(() => {
  remote = new MemoryRemote();
  open = [];
});

afterEach(async () => {
  for (const each of open) await each.close();
});

async function openOne(options: Parameters<typeof openTestNode>[1] = {}): Promise<TestNode> {
  const opened = await openTestNode(new MemoryBeacon(remote), options);
  open.push(opened);
  return opened;
}

/** A database in which the group is still pending, as it was before its push. */
async function reopenPending(from: TestNode, groupId: SettlementId): Promise<Database> {
  const entries = await from.database.read(({ journal }) => journal.listGroup(groupId));
  const database = await openDatabase({ file: ':memory:' });
  await database.transaction(({ journal }) => journal.insertEntries(entries));
  return database;
}

const id = (n: number): TransactionId =>
  `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId;

describe('a validator', () => {
  test('mints and hands over an asset to who presents the passphrase', async () => {
    const { node, accept } = await openOne();
    const mint = await accept([{ ownerId: owner('a') }]);
    expect(await node.outcomeOf(mint.groupId)).toEqual({ state: 'committed' });
    const handOver = await accept([
      { ownerId: owner('b'), predecessorPassphrase: mint.passphrases[0] },
    ]);
    expect(await node.outcomeOf(handOver.groupId)).toEqual({ state: 'committed' });
    expect(node.chain.findTip(asset('asset'))).toMatchObject({ ownerId: 'b', position: 2 });
    expect(remote.tags.size).toBe(2);
  });

  test('refuses a wrong, a missing and a spent passphrase, and writes nothing', async () => {
    const { node, accept } = await openOne();
    const mint = await accept([{}]);
    await node.outcomeOf(mint.groupId);
    const next = await accept([{ predecessorPassphrase: mint.passphrases[0] }]);
    await node.outcomeOf(next.groupId);
    for (const predecessorPassphrase of ['wrong', undefined, mint.passphrases[0]]) {
      await expect(accept([{ predecessorPassphrase }])).rejects.toMatchObject({
        code: 'PASSPHRASE_MISMATCH',
      });
    }
    expect(remote.tags.size).toBe(2);
    expect((await node.status()).pending).toBe(0);
  });

  test('accepts a successor passphrase that a person chose, hashed with argon2id', async () => {
    const { default: argon2 } = await import('argon2');
    const successorHash = await argon2.hash('chosen', { type: argon2.argon2id });
    const record = encodeRecord({
      successorHash,
      transactionId: id(1),
      transactionTime: 1,
      assetId: asset('asset'),
      ownerId: owner('a'),
      metadata: {},
    });
    const commit = remote.addCommit({ parents: [remote.epoch], record });
    remote.branches.set('nfgt-asset', commit);
    remote.tags.set(id(1), commit);
    const { node, accept } = await openOne();
    await expect(accept([{ predecessorPassphrase: 'other' }])).rejects.toMatchObject({
      code: 'PASSPHRASE_MISMATCH',
    });
    const next = await accept([{ predecessorPassphrase: 'chosen' }]);
    expect(await node.outcomeOf(next.groupId)).toEqual({ state: 'committed' });
  });

  test('keeps at most one pending transaction for an asset', async () => {
    const { node, accept } = await openOne();
    remote.unreachable = true;
    const first = await accept([{}]);
    await expect(accept([{}])).rejects.toMatchObject({ code: 'ASSET_BUSY' });
    remote.unreachable = false;
    expect(await node.outcomeOf(first.groupId)).toEqual({ state: 'committed' });
  });

  test('commits a group in one push, all of it or nothing', async () => {
    const [ours, theirs] = [await openOne(), await openOne()];
    const before = remote.pushes;
    const group = await ours.accept([{ assetId: asset('x') }, { assetId: asset('y') }]);
    await ours.node.outcomeOf(group.groupId);
    expect(remote.pushes).toBe(before + 1);

    const stranger = await theirs.accept([{ assetId: asset('z') }]);
    await theirs.node.outcomeOf(stranger.groupId);
    const losing = await ours.accept([{ assetId: asset('w') }, { assetId: asset('z') }]);
    expect(await ours.node.outcomeOf(losing.groupId)).toEqual({
      state: 'rejected',
      reason: 'CHAIN_ADVANCED',
    });
    expect(remote.branches.has('nfgt-w')).toBe(false);
    expect(remote.tags.size).toBe(3);
  });

  test('drops the loser of a batch and pushes the others', async () => {
    const [ours, theirs] = [await openOne(), await openOne()];
    const stranger = await theirs.accept([{ assetId: asset('taken') }]);
    await theirs.node.outcomeOf(stranger.groupId);
    const groups = await Promise.all(
      ['one', 'taken', 'two'].map((name) => ours.accept([{ assetId: asset(name) }])),
    );
    const outcomes = await Promise.all(
      groups.map(async ({ groupId }) => (await ours.node.outcomeOf(groupId)).state),
    );
    expect(outcomes).toEqual(['committed', 'rejected', 'committed']);
  });

  test('finds out, when the answer of a push is lost, that it was committed', async () => {
    const { node, accept } = await openOne();
    remote.failPushes({ kind: 'lose-answer' });
    const { groupId } = await accept([{}]);
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
    expect(remote.pushes).toBe(1);
  });

  test('pushes again when the connection was cut before anything was written', async () => {
    const { node, accept } = await openOne();
    remote.failPushes({ kind: 'cut' }, { kind: 'cut' });
    const { groupId } = await accept([{}]);
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
  });

  test('pushes again when the remote was busy, and never calls that a loss', async () => {
    const { node, accept } = await openOne();
    remote.failPushes({ kind: 'refuse', reason: 'cannot lock ref', retryable: true });
    const { groupId } = await accept([{}]);
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
  });

  test('rejects what the remote refuses for good', async () => {
    const { node, accept } = await openOne();
    remote.failPushes({ kind: 'refuse', reason: 'pre-receive hook declined', retryable: false });
    const { groupId, transactionIds } = await accept([{}]);
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'rejected', reason: 'BEACON_REFUSED' });
    expect(await node.findState(transactionIds[0] as TransactionId)).toEqual({
      state: 'rejected',
      reason: 'BEACON_REFUSED',
    });
  });

  test('takes up the journal of an earlier process and finishes it', async () => {
    const first = await openOne();
    const group = await first.node.check('g' as never, [
      {
        assetId: asset('asset'),
        ownerId: owner('a'),
        metadata: null,
        predecessorPassphrase: undefined,
        transactionId: undefined,
      },
    ]);
    // Journaled but never submitted: as if the process died right after the database transaction.
    await first.database.transaction(({ journal }) => first.node.journal(journal, group));
    const second = await openOne({ database: first.database });
    expect(await second.node.outcomeOf(group.groupId)).toEqual({ state: 'committed' });
  });

  test('completes a push of which the remote kept only the branch', async () => {
    const first = await openOne();
    const mint = await first.accept([{}]);
    await first.node.outcomeOf(mint.groupId);
    const next = await first.accept([{ predecessorPassphrase: mint.passphrases[0] }]);
    await first.node.outcomeOf(next.groupId);
    // As if the remote had died between the two refs, and our process before it knew.
    remote.tags.delete(next.transactionIds[0]!);
    const state = await openOne({ database: await reopenPending(first, next.groupId) });
    expect(await state.node.outcomeOf(next.groupId)).toEqual({ state: 'committed' });
    expect(remote.tags.has(next.transactionIds[0]!)).toBe(true);
    expect((await state.node.status()).faults).toEqual([]);
  });

  test('tells every commit and every change of owner once', async () => {
    const [ours, theirs] = [await openOne(), await openOne()];
    const heard: string[] = [];
    const listen =
      (who: string) =>
      ({ to, from, foreign }: NodeEvents['owner-changed']): void => {
        heard.push(`${who}: ${from ?? 'nobody'} > ${to}${foreign ? ' (foreign)' : ''}`);
      };
    ours.node.on('owner-changed', listen('ours'));
    theirs.node.on('owner-changed', listen('theirs'));
    const mint = await ours.accept([{ ownerId: owner('a') }]);
    await ours.node.outcomeOf(mint.groupId);
    await ours.node.sync();
    await theirs.node.sync();
    expect(heard).toEqual(['ours: nobody > a', 'theirs: nobody > a (foreign)']);
  });

  test('refuses new work while the beacon is away, and says so', async () => {
    const { node, accept } = await openOne();
    remote.unreachable = true;
    await expect(node.sync()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    await expect(accept([{}])).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    remote.unreachable = false;
    await node.sync();
    await node.outcomeOf((await accept([{}])).groupId);
    expect(node.chain.findTip(asset('asset'))).toBeDefined();
  });

  test('takes new work again once the beacon has taken a push, not only after the next sync', async () => {
    const { node, database, accept } = await openOne();
    // After the first push the node knows how the remote stands, and does not look before the next.
    await node.outcomeOf((await accept([{ assetId: asset('zeroth') }])).groupId);
    const groupId = randomUUID() as SettlementId;
    const draft = { assetId: asset('first'), ownerId: owner('a'), metadata: {} };
    const unsent = { predecessorPassphrase: undefined, transactionId: undefined };
    const group = await node.check(groupId, [{ ...draft, ...unsent }]);
    await database.transaction(({ journal }) => node.journal(journal, group));
    remote.unreachable = true;
    await expect(node.sync()).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
    remote.unreachable = false;
    node.submit(groupId);
    expect(await node.outcomeOf(groupId)).toEqual({ state: 'committed' });
    const next = await accept([{ assetId: asset('second') }]);
    expect(await node.outcomeOf(next.groupId)).toEqual({ state: 'committed' });
  });
});

test('an observer reads and refuses to write', async () => {
  const validator = await openOne();
  await validator.node.outcomeOf((await validator.accept([{}])).groupId);
  remote.readOnly = true;
  const observer = await openOne();
  expect((await observer.node.status()).role).toBe('observer');
  expect(observer.node.chain.findTip(asset('asset'))).toBeDefined();
  await expect(observer.accept([{}])).rejects.toMatchObject({ code: 'NODE_IS_OBSERVER' });
});

describe('sync', () => {
  const good = (n: number, overrides: object = {}): Buffer =>
    encodeRecord({
      successorHash: hashPassphrase(`p${n}`),
      transactionId: id(n),
      transactionTime: n,
      assetId: asset('asset'),
      ownerId: owner('a'),
      metadata: {},
      ...overrides,
    });

  test.each([
    ['bad JSON', Buffer.from('{'), true],
    ['another asset than the branch', good(1, { assetId: asset('other') }), true],
    ['no tag', good(1), false],
    ['no metadata.json', undefined, true],
  ])('reports and skips a commit with %s', async (_name, record, tagged) => {
    const commit = remote.addCommit({ parents: [remote.epoch], record });
    remote.branches.set('nfgt-asset', commit);
    if (tagged) remote.tags.set(id(1), commit);
    const { node } = await openOne();
    const status = await node.status();
    expect(status.faults).toHaveLength(1);
    expect(status.faults[0]).toMatchObject({ branch: 'nfgt-asset', commitId: commit });
    expect(node.chain.findTip(asset('asset'))).toBeUndefined();
  });

  test('goes on after a commit that it skipped, and builds on it', async () => {
    const bad = remote.addCommit({ parents: [remote.epoch], record: Buffer.from('{') });
    const next = remote.addCommit({ parents: [bad], record: good(2) });
    remote.branches.set('nfgt-asset', next);
    remote.tags.set(id(2), next);
    const { node, accept } = await openOne();
    expect(node.chain.findTip(asset('asset'))).toMatchObject({ position: 1, ownerId: 'a' });
    const ours = await accept([{ ownerId: owner('b'), predecessorPassphrase: 'p2' }]);
    expect(await node.outcomeOf(ours.groupId)).toEqual({ state: 'committed' });
  });

  test('takes a transaction over once its late tag is there', async () => {
    const commit = remote.addCommit({ parents: [remote.epoch], record: good(1) });
    remote.branches.set('nfgt-asset', commit);
    const { node } = await openOne();
    expect(node.chain.findTip(asset('asset'))).toBeUndefined();
    remote.tags.set(id(1), commit);
    await node.sync();
    expect(node.chain.findTip(asset('asset'))).toMatchObject({ transactionId: id(1) });
    expect((await node.status()).faults).toEqual([]);
  });

  test('keeps what it knew when a branch was rewritten', async () => {
    const { node, accept } = await openOne();
    await node.outcomeOf((await accept([{ ownerId: owner('first') }])).groupId);
    const other = remote.addCommit({ parents: [remote.epoch], record: good(9) });
    remote.branches.set('nfgt-asset', other);
    remote.tags.set(id(9), other);
    await node.sync();
    expect(node.chain.findTip(asset('asset'))).toMatchObject({ ownerId: 'first' });
    expect((await node.status()).faults).toHaveLength(1);
  });
});
