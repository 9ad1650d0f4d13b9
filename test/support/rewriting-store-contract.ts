// What every RewritingStore and RedeliveryStore must do, and what the journal and the vault make of it.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import type { Redelivery } from '../../src/app/ports/redelivery-store.ts';
import type { NewJournalEntry } from '../../src/chain/journal-store.ts';
import type { AssetId, CommitId, MemberId, OwnerId, SettlementId } from '../../src/shared/ids.ts';
import { newAssetId, newTransactionId, type OpenTestDatabase } from './temp-database.ts';

const DIGEST = 'a'.repeat(32);

/** Runs the suite against the accepted rewritings of this database. */
export function describeRewritingStore(name: string, open: OpenTestDatabase): void {
  describe(`RewritingStore in ${name}`, () => {
    let db: Database;
    let assetId: AssetId;

    beforeEach(async () => {
      db = await open();
      assetId = newAssetId();
    });

    const entry = (): NewJournalEntry => {
      const transactionId = newTransactionId();
      return {
        transactionId,
        groupId: transactionId as string as SettlementId,
        position: 0,
        assetId,
        ownerId: 'owner' as OwnerId,
        record: Buffer.from('{}'),
        parent: 'b'.repeat(40) as CommitId,
        committer: 'x',
        commitTimeSeconds: 1,
        acceptedAt: 2,
        sealedPassphrase: Buffer.of(1),
      };
    };

    /** Journals and commits a transaction. */
    async function commit(): Promise<NewJournalEntry> {
      const made = entry();
      await db.transaction(async ({ journal }) => {
        await journal.insertEntries([made]);
        const end = { state: 'committed', reason: null, resolvedAt: 3 } as const;
        await journal.resolveGroups([made.groupId], end);
      });
      return made;
    }

    const accept = (lost: readonly NewJournalEntry[], digest = DIGEST) =>
      db.transaction(({ rewritings }) =>
        rewritings.insertAccepted({ digest, acceptedAt: 5, assetIds: [assetId], lost }),
      );

    test('what was accepted is numbered, found by its digest, and lists its assets once', async () => {
      await db.read(async ({ rewritings }) => {
        expect(await rewritings.lastAccepted()).toBe(0);
        expect(await rewritings.findAccepted(DIGEST)).toBeUndefined();
        expect(await rewritings.listAcceptedAssets(0)).toEqual([]);
      });
      expect([await accept([]), await accept([])]).toEqual([1, 2]);
      await db.read(async ({ rewritings }) => {
        expect(await rewritings.lastAccepted()).toBe(2);
        const newest = { number: 2, digest: DIGEST, acceptedAt: 5 };
        expect(await rewritings.findAccepted(DIGEST)).toEqual(newest);
        expect(await rewritings.listAcceptedAssets(0)).toEqual([assetId]);
        expect(await rewritings.listAcceptedAssets(1)).toEqual([assetId]);
        expect(await rewritings.listAcceptedAssets(2)).toEqual([]);
      });
    });

    test('a lost transaction is rejected for that, listed as committed no more, and never revealed', async () => {
      const [kept, lost] = [await commit(), await commit()];
      await accept([lost]);
      // Once lost it stays so, whatever is accepted later.
      await accept([lost], 'b'.repeat(32));
      await db.read(async ({ journal }) => {
        const { transactionId } = kept;
        expect(await journal.listCommitted()).toEqual([{ transactionId, assetId }]);
        const seen = await journal.findEntry(lost.transactionId);
        expect(seen).toMatchObject({ state: 'rejected', reason: 'TRANSACTION_LOST' });
        expect(await journal.listGroup(lost.groupId)).toMatchObject([{ state: 'rejected' }]);
        expect(await journal.findEntry(transactionId)).toMatchObject({ state: 'committed' });
        expect(await journal.listReveals(9)).toMatchObject([{ transactionId }]);
      });
    });

    test('a transaction that this node does not know cannot be lost by it', async () => {
      await expect(accept([entry()])).rejects.toThrow(/FOREIGN KEY/);
      expect(await db.read(({ rewritings }) => rewritings.lastAccepted())).toBe(0);
    });

    test('a spent passphrase is taken back only once the asset’s rewriting was accepted', async () => {
      const sealed = { assetId, custody: 'bot', sealed: Buffer.of(1), createdAt: 1 } as const;
      const [spent, current, discarded] = [
        newTransactionId(),
        newTransactionId(),
        newTransactionId(),
      ];
      await db.transaction(async ({ vault }) => {
        for (const transactionId of [spent, current, discarded]) {
          await vault.insertEntry({ transactionId, ...sealed });
        }
        await vault.promote(spent);
        await vault.promote(current);
        await vault.discard(discarded);
      });
      const takeBack = (id: typeof spent) => db.transaction(({ vault }) => vault.takeBack(id));
      await expect(takeBack(spent)).rejects.toThrow(/only goes from waiting/);
      await accept([]);
      for (const id of [spent, discarded, current, current]) {
        await takeBack(id);
        const found = await db.read(({ vault }) => vault.findCurrent(assetId));
        expect(found?.transactionId).toBe(id);
      }
      const live = await db.read(({ vault }) => vault.listLive());
      expect(live.map(({ transactionId }) => transactionId)).toEqual([current]);
    });

    test('what is owed is remembered once for an asset, until it is removed', async () => {
      const owed = (tip: Redelivery['tipTransactionId'], holder = '7' as MemberId): Redelivery => ({
        ...{ assetId, holder, tipTransactionId: tip, owedSince: 4 },
      });
      const other: Redelivery = { ...owed(newTransactionId(), '8' as MemberId), owedSince: 9 };
      await db.transaction(async ({ redeliveries }) => {
        for (const each of [owed(null), other]) await redeliveries.putRedelivery(each);
        expect(await redeliveries.listRedeliveries()).toEqual([other]);
        expect(await redeliveries.findRedelivery(assetId)).toEqual(other);
        await redeliveries.removeRedelivery(assetId);
        expect(await redeliveries.findRedelivery(assetId)).toBeUndefined();
      });
    });
  });
}
