// Redeliveries in SQLite.
import type { Redelivery, RedeliveryStore } from '../app/ports/redelivery-store.ts';
import type { AssetId } from '../shared/ids.ts';
import type { Connection } from './connection.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const putRedelivery = statement((owed: Redelivery) =>
  query
    .insertInto('redeliveries')
    .values({
      asset_id: owed.assetId,
      holder: owed.holder,
      tip_transaction_id: owed.tipTransactionId,
      owed_since: owed.owedSince,
    })
    .onConflict((conflict) =>
      conflict.column('asset_id').doUpdateSet((eb) => ({
        holder: eb.ref('excluded.holder'),
        tip_transaction_id: eb.ref('excluded.tip_transaction_id'),
        owed_since: eb.ref('excluded.owed_since'),
      })),
    ),
);
const redeliveries = query
  .selectFrom('redeliveries')
  .select([
    'asset_id as assetId',
    'holder',
    'tip_transaction_id as tipTransactionId',
    'owed_since as owedSince',
  ]);
const findRedelivery = statement((by: { assetId: AssetId }) =>
  redeliveries.where('asset_id', '=', by.assetId),
);
const listRedeliveries = statement(() => redeliveries.orderBy('asset_id'));
const removeRedelivery = statement((by: { assetId: AssetId }) =>
  query.deleteFrom('redeliveries').where('asset_id', '=', by.assetId),
);

export class SqliteRedeliveryStore implements Synchronous<RedeliveryStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  putRedelivery(redelivery: Redelivery): void {
    this.#connection.run(putRedelivery, redelivery);
  }

  findRedelivery(assetId: AssetId): Redelivery | undefined {
    return this.#connection.first(findRedelivery, { assetId });
  }

  listRedeliveries(): readonly Redelivery[] {
    return this.#connection.all(listRedeliveries, {});
  }

  removeRedelivery(assetId: AssetId): void {
    this.#connection.run(removeRedelivery, { assetId });
  }
}
