// Restores and lost assets in SQLite.
import { sql } from 'kysely';
import type { LostAsset, Restore, RestoreStore } from '../app/ports/restore-store.ts';
import type { AssetId } from '../shared/ids.ts';
import type { Connection } from './connection.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const insertRestore = statement((restore: Restore) =>
  query
    .insertInto('restores')
    .values({ restored_at: restore.restoredAt, taken_at: restore.takenAt }),
);
const findOpenRestore = statement(() =>
  query
    .selectFrom('restores')
    .select(['restored_at as restoredAt', 'taken_at as takenAt'])
    .where('reconciled_at', 'is', null)
    .orderBy('taken_at')
    .limit(sql.lit(1)),
);
const closeRestores = statement((end: { at: number }) =>
  query.updateTable('restores').set({ reconciled_at: end.at }).where('reconciled_at', 'is', null),
);
const putLost = statement((lost: LostAsset) =>
  query
    .insertInto('lost_assets')
    .values({
      asset_id: lost.assetId,
      transaction_id: lost.transactionId,
      noticed_at: lost.noticedAt,
    })
    .onConflict((conflict) =>
      conflict.column('asset_id').doUpdateSet((eb) => ({
        transaction_id: eb.ref('excluded.transaction_id'),
        noticed_at: eb.ref('excluded.noticed_at'),
      })),
    ),
);
const lostAssets = query
  .selectFrom('lost_assets')
  .select(['asset_id as assetId', 'transaction_id as transactionId', 'noticed_at as noticedAt']);
const findLost = statement((by: { assetId: AssetId }) =>
  lostAssets.where('asset_id', '=', by.assetId),
);
const listLost = statement(() => lostAssets.orderBy('asset_id'));
const removeLost = statement((by: { assetId: AssetId }) =>
  query.deleteFrom('lost_assets').where('asset_id', '=', by.assetId),
);

export class SqliteRestoreStore implements Synchronous<RestoreStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertRestore(restore: Restore): void {
    this.#connection.run(insertRestore, restore);
  }

  findOpenRestore(): Restore | undefined {
    return this.#connection.first(findOpenRestore, {});
  }

  closeRestores(at: number): void {
    this.#connection.run(closeRestores, { at });
  }

  putLost(lost: LostAsset): void {
    this.#connection.run(putLost, lost);
  }

  findLost(assetId: AssetId): LostAsset | undefined {
    return this.#connection.first(findLost, { assetId });
  }

  listLost(): readonly LostAsset[] {
    return this.#connection.all(listLost, {});
  }

  removeLost(assetId: AssetId): void {
    this.#connection.run(removeLost, { assetId });
  }
}
