// Accepted rewritings of the chain in SQLite, with the transactions that were lost by them.
import type { AcceptedRewriting, RewritingStore } from '../chain/rewriting-store.ts';
import type { AssetId, TransactionId } from '../shared/ids.ts';
import type { Connection } from './connection.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const insertAccepted = statement((accepted: AcceptedRewriting) =>
  query.insertInto('accepted_rewritings').values({
    number: accepted.number,
    digest: accepted.digest,
    accepted_at: accepted.acceptedAt,
  }),
);
const insertAsset = statement((row: { number: number; assetId: AssetId }) =>
  query.insertInto('accepted_assets').values({ number: row.number, asset_id: row.assetId }),
);
const insertLost = statement(
  (row: { transactionId: TransactionId; assetId: AssetId; acceptedAt: number }) =>
    query
      .insertInto('lost_transactions')
      .values({
        transaction_id: row.transactionId,
        asset_id: row.assetId,
        accepted_at: row.acceptedAt,
      })
      .onConflict((conflict) => conflict.column('transaction_id').doNothing()),
);
const findAccepted = statement((by: { digest: string }) =>
  query
    .selectFrom('accepted_rewritings')
    .select(['number', 'digest', 'accepted_at as acceptedAt'])
    .where('digest', '=', by.digest)
    .orderBy('number', 'desc'),
);
const lastAccepted = statement(() =>
  query.selectFrom('accepted_rewritings').select((eb) => eb.fn.max('number').as('number')),
);
const listAssets = statement((by: { after: number }) =>
  query
    .selectFrom('accepted_assets')
    .select('asset_id as assetId')
    .distinct()
    .where('number', '>', by.after)
    .orderBy('asset_id'),
);

export class SqliteRewritingStore implements Synchronous<RewritingStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertAccepted({
    digest,
    acceptedAt,
    assetIds,
    lost,
  }: Parameters<RewritingStore['insertAccepted']>[0]): number {
    return this.#connection.atomic(() => {
      const number = this.lastAccepted() + 1;
      this.#connection.run(insertAccepted, { number, digest, acceptedAt });
      for (const assetId of assetIds) this.#connection.run(insertAsset, { number, assetId });
      for (const { transactionId, assetId } of lost) {
        this.#connection.run(insertLost, { transactionId, assetId, acceptedAt });
      }
      return number;
    });
  }

  findAccepted(digest: string): AcceptedRewriting | undefined {
    return this.#connection.first(findAccepted, { digest });
  }

  lastAccepted(): number {
    return this.#connection.first(lastAccepted, {})?.number ?? 0;
  }

  listAcceptedAssets(after: number): readonly AssetId[] {
    return this.#connection.all(listAssets, { after }).map(({ assetId }) => assetId);
  }
}
