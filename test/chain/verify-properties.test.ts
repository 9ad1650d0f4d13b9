// What holds of verification for any input: no byte of a record changes unseen, and no order of names matters.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord, recordDigest } from '../../src/chain/record.ts';
import { hashPassphrase } from '../../src/chain/succession.ts';
import { digestCommit, type CommitFacts } from '../../src/chain/verify-commits.ts';
import { assignCommits } from '../../src/chain/verify-histories.ts';
import { readRootTree } from '../../src/git/root-tree.ts';
import { parseRefList } from '../../src/git/ref-list.ts';
import type { AssetId, CommitId, TransactionId } from '../../src/shared/ids.ts';
import { asset, owner } from '../support/open-test-node.ts';

const id = (number: number): CommitId => String(number).padStart(40, '0') as CommitId;

const RECORD = encodeRecord({
  successorHash: hashPassphrase('a passphrase'),
  transactionId: '11111111-2222-4333-8444-555555555555' as TransactionId,
  transactionTime: 1_648_757_777_700,
  assetId: asset('an-asset'),
  ownerId: owner('an owner'),
  metadata: { user_name: 'somebody' },
});

const digest = (bytes: Buffer): CommitFacts =>
  digestCommit({
    commitId: id(1),
    parents: [id(0)],
    message: recordDigest(RECORD),
    author: 'a <a>',
    committer: 'a <a>',
    commitTimeSeconds: 0,
    signature: undefined,
    treeDigest: '',
    recordFile: { state: 'read', mode: '100644', bytes },
  });

describe('a record', () => {
  test('as it was committed has no fault', () => {
    expect(digest(RECORD).faults).toEqual([]);
  });

  test('with any one byte changed no longer answers its message', () => {
    const place = fc.nat(RECORD.length - 1);
    fc.assert(
      fc.property(place, fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = Buffer.from(RECORD);
        bytes[at]! ^= change;
        expect(digest(bytes).faults.map(({ kind }) => kind)).toContain('message-mismatch');
      }),
    );
  });

  test('of any bytes is judged without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(digest(Buffer.from(bytes)).faults.length).toBeGreaterThan(0);
      }),
    );
  });
});

/** Commits of a forest on the epoch (0): each names an asset and stands on an earlier one. */
const forest = fc
  .array(fc.tuple(fc.nat(), fc.nat(4)), { minLength: 1, maxLength: 25 })
  .map((drafts) =>
    drafts.map(([parent, named], index): CommitFacts => ({
      commitId: id(index + 1),
      parents: [id(parent % (index + 1))],
      commitTimeSeconds: index,
      treeDigest: '',
      signature: undefined,
      committerId: undefined,
      authorNote: undefined,
      faults: [],
      transaction: {
        successorHash: '',
        transactionId: '' as TransactionId,
        transactionTime: index,
        assetId: `a${named}` as AssetId,
      },
    })),
  );

describe('commits', () => {
  test('belong to one branch each, and to the one they name whatever the order of the branches', () => {
    fc.assert(
      fc.property(forest, fc.array(fc.nat(), { minLength: 5, maxLength: 5 }), (facts, tips) => {
        const commits = new Map(facts.map((commit) => [commit.commitId, commit]));
        const branches = tips.map((tip, index) => ({
          branch: `nfgt-a${index}`,
          assetId: asset(`a${index}`),
          tip: id(1 + (tip % facts.length)),
        }));
        const isEpoch = (commitId: CommitId): boolean => commitId === id(0);
        const [forwards, backwards] = [branches, [...branches].reverse()].map((order) => {
          const histories = assignCommits(order, commits, isEpoch);
          const owned = histories.flatMap(({ branch, commits: own }) =>
            own.map(({ commitId }) => [commitId, branch] as const),
          );
          expect(new Set(owned.map(([commitId]) => commitId)).size).toBe(owned.length);
          return new Map(owned);
        });
        expect([...forwards!.keys()].sort()).toEqual([...backwards!.keys()].sort());
        for (const { branch, assetId, tip } of branches) {
          let at = commits.get(tip);
          while (at?.transaction?.assetId === assetId) {
            expect([forwards!.get(at.commitId), backwards!.get(at.commitId)]).toEqual([
              branch,
              branch,
            ]);
            at = commits.get(at.parents[0]!);
          }
        }
      }),
    );
  });
});

describe('what git prints', () => {
  test('of any bytes is read without a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (array) => {
        const content = Buffer.from(array);
        const answer = { id: 'a'.repeat(40), type: 'tree', size: content.length, content };
        expect(['object', 'undefined']).toContain(typeof readRootTree(answer));
        expect(parseRefList(content).branches.length).toBeLessThanOrEqual(content.length);
      }),
    );
  });

  test('of two odd names stays two names', () => {
    const line = (byte: number): Buffer =>
      Buffer.concat([Buffer.from(`${id(1)}\trefs/heads/nfgt-`), Buffer.of(byte, 0x0a)]);
    const { branches } = parseRefList(Buffer.concat([line(0xfe), line(0xff)]));
    expect(branches.map(({ name }) => name)).toEqual(['nfgt-\\xfe', 'nfgt-\\xff']);
  });
});
