// What every RestoreStore must do.
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/app/ports/database.ts';
import type { LostAsset } from '../../src/app/ports/restore-store.ts';
import { newAssetId, newTransactionId, type OpenTestDatabase } from './temp-database.ts';

/** Runs the suite against the restores of this database. */
export function describeRestoreStore(name: string, open: OpenTestDatabase): void {
  describe(`RestoreStore in ${name}`, () => {
    let db: Database;

    beforeEach(async () => {
      db = await open();
    });

    const lost = (): LostAsset => ({
      assetId: newAssetId(),
      transactionId: newTransactionId(),
      noticedAt: 5,
    });

    test('of several open restores the one with the oldest backup counts, until all are closed', async () => {
      await db.transaction(async ({ restores }) => {
        expect(await restores.findOpenRestore()).toBeUndefined();
        await restores.insertRestore({ restoredAt: 10, takenAt: 3 });
        await restores.insertRestore({ restoredAt: 20, takenAt: 7 });
        expect(await restores.findOpenRestore()).toEqual({ restoredAt: 10, takenAt: 3 });
        await restores.closeRestores(30);
        expect(await restores.findOpenRestore()).toBeUndefined();
        await restores.insertRestore({ restoredAt: 40, takenAt: 35 });
        expect(await restores.findOpenRestore()).toEqual({ restoredAt: 40, takenAt: 35 });
      });
    });

    test('a lost asset is remembered once, with its newest transaction, until it is removed', async () => {
      const [first, second] = [lost(), lost()];
      const moved = { ...first, transactionId: newTransactionId(), noticedAt: 9 };
      await db.transaction(async ({ restores }) => {
        for (const each of [first, second, moved]) await restores.putLost(each);
        const byId = [moved, second].toSorted((a, b) => (a.assetId < b.assetId ? -1 : 1));
        expect(await restores.listLost()).toEqual(byId);
        expect(await restores.findLost(first.assetId)).toEqual(moved);
        await restores.removeLost(first.assetId);
        expect(await restores.findLost(first.assetId)).toBeUndefined();
        expect(await restores.listLost()).toEqual([second]);
      });
    });
  });
}
