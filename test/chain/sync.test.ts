// A sync that finds much takes it over in parts, so that neither memory nor the loop belongs to it alone.
import { describe, expect, test } from '@jest/globals';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { syncIndex, type SyncPart } from '../../src/chain/sync.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import type { CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { asset } from '../support/open-test-node.ts';

const ASSETS = 1_200;

function mintAll(remote: MemoryRemote): void {
  for (let n = 0; n < ASSETS; n += 1) moveOn(remote, `asset-${n}`);
}

/** Whoever has the passphrase moves the asset; the first time it is minted. */
function moveOn(remote: MemoryRemote, name: string): CommitId {
  const transactionTime = remote.tags.size;
  const digits = String(transactionTime).padStart(12, '0');
  const transactionId = `00000000-0000-4000-8000-${digits}` as TransactionId;
  const record = encodeRecord({
    successorHash: hashPassphrase(digits),
    transactionId,
    transactionTime,
    assetId: asset(name),
    ownerId: 'owner' as OwnerId,
    metadata: null,
  });
  const parent = remote.branches.get(`nfgt-${name}`) ?? remote.epoch;
  const commitId = remote.addCommit({ parents: [parent], record });
  remote.branches.set(`nfgt-${name}`, commitId);
  remote.tags.set(transactionId, commitId);
  return commitId;
}

describe('a branch that stands on the commits of another asset', () => {
  /** It is advertised before all others, and read in an earlier part than the asset. */
  const FIRST = 'nfgt-0';

  test.each([
    ['on its tip', (remote: MemoryRemote, tip: CommitId) => remote.branches.set(FIRST, tip)],
    [
      'and goes on from there',
      (remote: MemoryRemote, tip: CommitId) => {
        const record = Buffer.from('not a record');
        remote.branches.set(FIRST, remote.addCommit({ parents: [tip], record }));
      },
    ],
  ])('%s, hides nothing of it from an index that is made anew', async (_how, put) => {
    const remote = new MemoryRemote();
    remote.branches.set(FIRST, remote.epoch);
    mintAll(remote);
    const tip = moveOn(remote, `asset-${ASSETS - 1}`);
    put(remote, tip);
    const index = openChainIndex(':memory:');
    expect(await syncIndex(new MemoryBeacon(remote), index)).toEqual([]);
    expect(index.totals()).toEqual({ assets: ASSETS, transactions: ASSETS + 1 });
    expect(index.findTip(asset(`asset-${ASSETS - 1}`))?.commitId).toBe(tip);
    const faults = index.listFaults(10);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.every(({ branch }) => branch === FIRST)).toBe(true);
    // What was read once is not read again.
    const parts: SyncPart[] = [];
    await syncIndex(new MemoryBeacon(remote), index, { onPart: (part) => void parts.push(part) });
    expect(parts).toEqual([]);
    index.close();
  });

  test('is one fault, however long that chain is, and hides no late tag', async () => {
    const remote = new MemoryRemote();
    for (let n = 0; n < 1_001; n += 1) moveOn(remote, 'long');
    const index = openChainIndex(':memory:');
    const beacon = new MemoryBeacon(remote);
    await syncIndex(beacon, index);
    remote.branches.set('nfgt-0', remote.branches.get('nfgt-long')!);
    await syncIndex(beacon, index);
    expect(index.listFaults(10)).toHaveLength(1);
    const tip = moveOn(remote, 'z');
    const [id] = [...remote.tags].find(([, commit]) => commit === tip)!;
    remote.tags.delete(id);
    await syncIndex(beacon, index);
    expect(index.findTip(asset('z'))).toBeUndefined();
    remote.tags.set(id, tip);
    await syncIndex(beacon, index);
    expect(index.findTip(asset('z'))?.commitId).toBe(tip);
    index.close();
  });

  test('hides no hand-over that comes in the same sync', async () => {
    const remote = new MemoryRemote();
    remote.branches.set(FIRST, remote.epoch);
    const before = moveOn(remote, 'x');
    const index = openChainIndex(':memory:');
    const beacon = new MemoryBeacon(remote);
    await syncIndex(beacon, index);
    remote.branches.set(FIRST, before);
    const after = moveOn(remote, 'x');
    expect(await syncIndex(beacon, index)).toEqual([]);
    expect(index.findTip(asset('x'))?.commitId).toBe(after);
    expect(index.listFaults(10).map(({ branch }) => branch)).toEqual([FIRST]);
    index.close();
  });
});

test('takes over thousands of branches in parts, each in the index before it is told of', async () => {
  const remote = new MemoryRemote();
  mintAll(remote);
  const index = openChainIndex(':memory:');
  const parts: number[] = [];
  const onPart = ({ additions }: SyncPart): void => {
    parts.push(additions.length);
    const told = parts.reduce((sum, length) => sum + length, 0);
    expect(index.totals().transactions).toBe(told);
  };
  await syncIndex(new MemoryBeacon(remote), index, { onPart });
  expect(parts.length).toBeGreaterThan(1);
  expect(index.totals()).toEqual({ assets: ASSETS, transactions: ASSETS });
  index.close();
});

test('keeps the parts that it had taken over when the remote goes away, and reads the rest later', async () => {
  const remote = new MemoryRemote();
  mintAll(remote);
  const index = openChainIndex(':memory:');
  const beacon = new MemoryBeacon(remote);
  const onPart = (): void => {
    remote.unreachable = true;
  };
  const broken = syncIndex(beacon, index, { onPart });
  await expect(broken).rejects.toMatchObject({ code: 'BEACON_UNREACHABLE' });
  const { transactions } = index.totals();
  expect(transactions).toBeGreaterThan(0);
  expect(transactions).toBeLessThan(ASSETS);
  remote.unreachable = false;
  await syncIndex(beacon, index);
  expect(index.totals()).toEqual({ assets: ASSETS, transactions: ASSETS });
  index.close();
});
