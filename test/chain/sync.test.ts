// A sync that finds much takes it over in parts, so that neither memory nor the loop belongs to it alone.
import { expect, test } from '@jest/globals';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { syncIndex, type SyncPart } from '../../src/chain/sync.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import type { OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { MemoryBeacon, MemoryRemote } from '../support/beacon-memory.ts';
import { asset } from '../support/open-test-node.ts';

const ASSETS = 1_200;

function mintAll(remote: MemoryRemote): void {
  for (let n = 0; n < ASSETS; n += 1) {
    const transactionId = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId;
    const record = encodeRecord({
      successorHash: hashPassphrase(String(n)),
      transactionId,
      transactionTime: n,
      assetId: asset(`asset-${n}`),
      ownerId: 'owner' as OwnerId,
      metadata: null,
    });
    const commitId = remote.addCommit({ parents: [remote.epoch], record });
    remote.branches.set(`nfgt-asset-${n}`, commitId);
    remote.tags.set(transactionId, commitId);
  }
}

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
