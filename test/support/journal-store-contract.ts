// What every JournalStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import type { NewJournalEntry } from '../../src/chain/journal-store.ts';
import type { CommitId, OwnerId, SettlementId } from '../../src/shared/ids.ts';
import {
  newAssetId,
  newSettlementId,
  newTransactionId,
  type OpenTestDatabase,
} from './temp-database.ts';

/** Runs the suite against the journal of this database. */
export function describeJournalStore(name: string, open: OpenTestDatabase): void {
  describe(`JournalStore in ${name}`, () => {
    let db: Database;

    beforeEach(async () => {
      db = await open();
    });

    const entry = (given: Partial<NewJournalEntry> = {}): NewJournalEntry => ({
      transactionId: newTransactionId(),
      groupId: newSettlementId(),
      position: 0,
      assetId: newAssetId(),
      ownerId: 'owner' as OwnerId,
      record: Buffer.from([0, 255, 10]),
      parent: 'ab'.repeat(20) as CommitId,
      committer: 'a1b2c3',
      commitTimeSeconds: 1_700_000_000,
      acceptedAt: 5,
      ...given,
    });
    const group = (size: number): NewJournalEntry[] => {
      const groupId = newSettlementId();
      return Array.from({ length: size }, (_, position) => entry({ groupId, position }));
    };
    const insert = (entries: readonly NewJournalEntry[]) =>
      db.transaction(({ journal }) => journal.insertEntries(entries));
    const pending = (each: NewJournalEntry) => ({
      ...each,
      state: 'pending',
      reason: null,
      resolvedAt: null,
    });
    const commit = (...groupIds: readonly SettlementId[]) =>
      db.transaction(({ journal }) =>
        journal.resolveGroups(groupIds, { state: 'committed', reason: null, resolvedAt: 9 }),
      );

    test('an entry comes back byte for byte, pending', async () => {
      const first = entry();
      await insert([first]);
      await db.read(async ({ journal }) => {
        expect(await journal.findEntry(first.transactionId)).toEqual(pending(first));
        expect(await journal.findPendingEntry(first.assetId)).toEqual(pending(first));
        expect(await journal.findEntry(newTransactionId())).toBeUndefined();
        expect(await journal.findPendingEntry(newAssetId())).toBeUndefined();
      });
    });

    test('groups come oldest first, entries in their positions, in whatever order they were given', async () => {
      const [first, second] = [group(3), group(2)];
      await insert(first.toReversed());
      await insert(second);
      await db.read(async ({ journal }) => {
        expect(await journal.listPending()).toEqual([...first, ...second].map(pending));
        expect(await journal.listGroup(first[0]!.groupId)).toEqual(first.map(pending));
        expect(await journal.countPending()).toBe(5);
      });
    });

    test('an asset has one pending transaction; a group with a busy asset is not written at all', async () => {
      const first = entry();
      await insert([first]);
      const second = group(2).map((each, at) =>
        at === 1 ? { ...each, assetId: first.assetId } : each,
      );
      await expect(insert(second)).rejects.toMatchObject({
        code: 'ASSET_BUSY',
        data: { assetId: first.assetId },
      });
      expect(await db.read(({ journal }) => journal.countPending())).toBe(1);
    });

    test('a group that is refused leaves nothing, even when the work goes on', async () => {
      const [taken, ...rest] = group(3);
      await insert([entry({ transactionId: taken!.transactionId })]);
      await db.transaction(async ({ journal }) => {
        await expect(journal.insertEntries([...rest, taken!])).rejects.toMatchObject({
          code: 'TRANSACTION_ID_TAKEN',
          data: { transactionId: taken!.transactionId },
        });
      });
      expect(await db.read(({ journal }) => journal.listGroup(taken!.groupId))).toEqual([]);
    });

    test('a transaction id is taken for ever, whatever became of it', async () => {
      const first = entry();
      await insert([first]);
      await commit(first.groupId);
      await expect(insert([entry({ transactionId: first.transactionId })])).rejects.toMatchObject({
        code: 'TRANSACTION_ID_TAKEN',
      });
    });

    test('resolved groups are no longer pending, and their assets are free for the next', async () => {
      const [first, second] = [group(2), group(1)];
      await insert(first);
      await insert(second);
      await commit(first[0]!.groupId);
      await db.read(async ({ journal }) => {
        expect(await journal.listPending()).toEqual(second.map(pending));
        expect(await journal.listGroup(first[0]!.groupId)).toEqual(
          first.map((each) => ({ ...pending(each), state: 'committed', resolvedAt: 9 })),
        );
      });
      await insert([entry({ assetId: first[0]!.assetId })]);
      expect(await db.read(({ journal }) => journal.countPending())).toBe(2);
    });

    test('what is resolved stays as it is', async () => {
      const [first] = group(1);
      await insert([first!]);
      await commit(first!.groupId);
      await db.transaction(({ journal }) =>
        journal.resolveGroups([first!.groupId], {
          state: 'rejected',
          reason: 'CHAIN_ADVANCED',
          resolvedAt: 11,
        }),
      );
      expect(await db.read(({ journal }) => journal.findEntry(first!.transactionId))).toMatchObject(
        { state: 'committed', reason: null, resolvedAt: 9 },
      );
    });

    test('a rejection keeps its reason', async () => {
      const [first] = group(1);
      await insert([first!]);
      const rejection = { state: 'rejected', reason: 'CHAIN_ADVANCED', resolvedAt: 7 } as const;
      await db.transaction(({ journal }) => journal.resolveGroups([first!.groupId], rejection));
      expect(await db.read(({ journal }) => journal.findEntry(first!.transactionId))).toMatchObject(
        rejection,
      );
    });

    test('a presented passphrase is listed once committed, oldest first, until it is published', async () => {
      const sealed = ['one', 'two', 'three'].map((text) =>
        entry({ sealedPassphrase: Buffer.from(text) }),
      );
      const [one, two, three] = sealed as [NewJournalEntry, NewJournalEntry, NewJournalEntry];
      for (const each of [...sealed, entry()]) await insert([each]);
      const list = (limit: number) => db.read(({ journal }) => journal.listReveals(limit));
      expect(await list(9)).toEqual([]);
      await commit(two.groupId, one.groupId);
      const { transactionId, assetId, record } = one;
      expect(await list(1)).toEqual([
        { transactionId, assetId, record, sealed: Buffer.from('one') },
      ]);
      await db.transaction(({ journal }) => journal.removeReveals([one.transactionId]));
      await commit(three.groupId);
      expect((await list(9)).map((each) => each.sealed.toString())).toEqual(['two', 'three']);
    });

    test('a presented passphrase of what is rejected is forgotten', async () => {
      const first = entry({ sealedPassphrase: Buffer.from('alive') });
      await insert([first]);
      await db.transaction(({ journal }) =>
        journal.resolveGroups([first.groupId], {
          state: 'rejected',
          reason: 'CHAIN_ADVANCED',
          resolvedAt: 7,
        }),
      );
      expect(await db.read(({ journal }) => journal.listReveals(9))).toEqual([]);
    });
  });
}
