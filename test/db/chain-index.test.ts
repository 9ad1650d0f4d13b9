// The index's file: whatever a crash or a bad disk made of it, it is only a projection, and the start makes it anew.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { encodeRecord } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import type { ChainIndex } from '../../src/chain/chain-index.ts';
import { openChainIndex } from '../../src/db/sqlite-chain-index.ts';
import type { AssetId, CommitId, OwnerId, TransactionId } from '../../src/shared/ids.ts';
import { tempDir } from '../support/temp-dir.ts';

function fill(index: ChainIndex, timeOf = (n: number): number => n): void {
  for (let n = 0; n < 200; n += 1) {
    const assetId = `asset-${n}` as AssetId;
    const record = {
      successorHash: hashPassphrase(String(n)),
      transactionId: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as TransactionId,
      transactionTime: timeOf(n),
      assetId,
      ownerId: 'owner' as OwnerId,
      metadata: null,
    };
    const commitId = String(n).padStart(40, '0') as CommitId;
    const transactions = [{ commitId, record, bytes: encodeRecord(record) }];
    index.apply([{ assetId, branchCommit: commitId, transactions }], []);
  }
}

describe('a damaged index', () => {
  test.each([
    ['no database at all', () => Buffer.from('this is no database, and never was one')],
    ['cut in half', (whole: Buffer) => whole.subarray(0, Math.floor(whole.length / 2))],
    [
      'overwritten in the middle',
      (whole: Buffer) =>
        Buffer.concat([
          whole.subarray(0, 8_192),
          Buffer.alloc(whole.length - 16_384, 0xa5),
          whole.subarray(whole.length - 8_192),
        ]),
    ],
  ])('that is %s is replaced by an empty one', (_what, damage) => {
    const file = join(tempDir(), 'index.sqlite');
    const index = openChainIndex(file);
    fill(index);
    index.setIdentity('somewhere');
    index.close();
    writeFileSync(file, damage(readFileSync(file)));
    const again = openChainIndex(file);
    expect(again.totals()).toEqual({ assets: 0, transactions: 0 });
    expect(again.findIdentity()).toBeUndefined();
    fill(again);
    expect(again.totals()).toEqual({ assets: 200, transactions: 200 });
    again.close();
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  test('is left alone when it is sound', () => {
    const file = join(tempDir(), 'index.sqlite');
    const index = openChainIndex(file);
    fill(index);
    index.close();
    const again = openChainIndex(file);
    expect(again.totals().transactions).toBe(200);
    again.close();
    expect(existsSync(file)).toBe(true);
  });
});

test('knows whether assets stand below an id, and takes no neighbour for one', () => {
  const index = openChainIndex(':memory:');
  const branchCommit = '1'.repeat(40) as CommitId;
  const ids = ['a/b', 'a/b/c', 'b-', 'b0', 'b.', 'c/'] as AssetId[];
  index.apply(
    ids.map((assetId) => ({ assetId, branchCommit, transactions: [] })),
    [],
  );
  const standsAbove = (id: string): boolean => index.hasAssetBelow(id as AssetId);
  expect(['a', 'a/b', 'a/b/c', 'b', 'c', 'd'].filter(standsAbove)).toEqual(['a', 'a/b']);
  index.close();
});

test('has another revision after every change, and the same one while it is read', () => {
  const index = openChainIndex(':memory:');
  const seen = [index.revision()];
  const note = (): number => seen.push(index.revision());
  const assetId = 'asset-1' as AssetId;
  fill(index);
  note();
  index.apply([], [{ branch: 'nfgt-x', commitId: 'f'.repeat(40) as CommitId, fault: 'no JSON' }]);
  note();
  index.forgetAsset(assetId);
  note();
  index.clear();
  note();
  expect(new Set(seen).size).toBe(seen.length);
  index.findTip(assetId);
  expect(index.revision()).toBe(seen.at(-1));
  index.close();
});

describe('records alone', () => {
  const ownerId = 'owner' as OwnerId;
  const textOf = ({ record }: { readonly record: Buffer }): string => record.toString('utf8');

  test('are those of the transactions, text for text, in the same order', () => {
    const index = openChainIndex(':memory:');
    fill(index);
    const assets = index.listOwnerAssets(ownerId, { limit: 1_000, offset: 0 });
    expect(assets).toHaveLength(200);
    expect(index.listOwnerAssetRecords(ownerId)).toEqual(assets.map(textOf));
    expect(index.listOwnerHistoryRecords(ownerId, 1_000)).toEqual(assets.map(textOf));
    for (const tip of assets) {
      expect(index.findTipRecord(tip.assetId)).toBe(textOf(tip));
      expect(index.findRecord(tip.transactionId)).toBe(textOf(tip));
      expect(index.listAssetHistoryRecords(tip.assetId, 9)).toEqual([textOf(tip)]);
    }
    index.close();
  });

  test('of the same moment come in the order of their transaction ids, also where a depth cuts', () => {
    const index = openChainIndex(':memory:');
    fill(index, () => 7);
    const idsOf = (records: readonly string[]): string[] =>
      records.map((text) => (JSON.parse(text) as { transaction_id: string }).transaction_id);
    const all = idsOf(index.listOwnerHistoryRecords(ownerId, 1_000));
    expect(all).toEqual(all.toSorted());
    expect(idsOf(index.listOwnerHistoryRecords(ownerId, 3))).toEqual(all.slice(0, 3));
    expect(idsOf(index.listOwnerAssetRecords(ownerId))).toEqual(all);
    index.close();
  });
});

test('the index tells which successor hashes a tip still has', () => {
  const index = openChainIndex(':memory:');
  fill(index);
  const next = {
    successorHash: hashPassphrase('next'),
    transactionId: '00000000-0000-4000-9000-000000000000' as TransactionId,
    transactionTime: 999,
    assetId: 'asset-7' as AssetId,
    ownerId: 'owner' as OwnerId,
    metadata: null,
  };
  const commitId = 'f'.repeat(40) as CommitId;
  const transactions = [{ commitId, record: next, bytes: encodeRecord(next) }];
  index.apply([{ assetId: next.assetId, branchCommit: commitId, transactions }], []);
  expect(
    ['7', '8', 'next', 'none'].map((text) => index.hasTipWithHash(hashPassphrase(text))),
  ).toEqual([false, true, true, false]);
  index.close();
});
