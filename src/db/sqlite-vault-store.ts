// The vault's entries in SQLite: sealed passphrases that only ever move forward through their states.
import { sql } from 'kysely';
import type { AssetId, TransactionId } from '../shared/ids.ts';
import type { VaultEntry, VaultStore } from '../vault/vault-store.ts';
import type { Connection } from './connection.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const entries = query
  .selectFrom('vault_entries')
  .select([
    'transaction_id as transactionId',
    'asset_id as assetId',
    'custody',
    'sealed',
    'state',
    'created_at as createdAt',
  ]);

const insertEntry = statement((entry: Omit<VaultEntry, 'state'>) =>
  query.insertInto('vault_entries').values({
    transaction_id: entry.transactionId,
    asset_id: entry.assetId,
    custody: entry.custody,
    sealed: entry.sealed,
    created_at: entry.createdAt,
  }),
);
const findEntry = statement((by: { transactionId: TransactionId }) =>
  entries.where('transaction_id', '=', by.transactionId),
);
const findCurrent = statement((by: { assetId: AssetId }) =>
  entries
    .where('asset_id', '=', by.assetId)
    .where('state', '=', sql.lit('current'))
    .where('custody', '=', sql.lit('bot')),
);
const listCurrent = statement(() =>
  entries
    .where('state', '=', sql.lit('current'))
    .where('custody', '=', sql.lit('bot'))
    .orderBy('asset_id'),
);
const listAll = statement(() => entries.orderBy('created_at').orderBy('transaction_id'));
const listLive = statement(() =>
  entries
    .where((eb) =>
      eb.or([eb('state', '=', sql.lit('waiting')), eb('state', '=', sql.lit('current'))]),
    )
    .orderBy('created_at')
    .orderBy('transaction_id'),
);
const setState = statement((change: { transactionId: TransactionId; state: 'current' | 'void' }) =>
  query
    .updateTable('vault_entries')
    .set({ state: change.state })
    .where('transaction_id', '=', change.transactionId),
);
const spendCurrent = statement((by: { assetId: AssetId }) =>
  query
    .updateTable('vault_entries')
    .set({ state: sql.lit('spent') })
    .where('asset_id', '=', by.assetId)
    .where('state', '=', sql.lit('current')),
);

export class SqliteVaultStore implements Synchronous<VaultStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertEntry(entry: Omit<VaultEntry, 'state'>): void {
    this.#connection.run(insertEntry, entry);
  }

  findEntry(transactionId: TransactionId): VaultEntry | undefined {
    return this.#connection.first(findEntry, { transactionId });
  }

  findCurrent(assetId: AssetId): VaultEntry | undefined {
    return this.#connection.first(findCurrent, { assetId });
  }

  listCurrent(): readonly VaultEntry[] {
    return this.#connection.all(listCurrent, {});
  }

  listAll(): readonly VaultEntry[] {
    return this.#connection.all(listAll, {});
  }

  listLive(): readonly VaultEntry[] {
    return this.#connection.all(listLive, {});
  }

  promote(transactionId: TransactionId): void {
    const entry = this.#getEntry(transactionId);
    if (entry.state === 'current' || entry.state === 'spent') return;
    if (entry.state === 'void') throw new Error(`vault entry ${transactionId} is void`);
    this.#connection.atomic(() => {
      this.#connection.run(spendCurrent, { assetId: entry.assetId });
      this.#connection.run(setState, { transactionId, state: 'current' });
    });
  }

  takeBack(transactionId: TransactionId): void {
    const { assetId, state } = this.#getEntry(transactionId);
    if (state === 'current') return;
    this.#connection.atomic(() => {
      this.#connection.run(spendCurrent, { assetId });
      this.#connection.run(setState, { transactionId, state: 'current' });
    });
  }

  discard(transactionId: TransactionId): void {
    const entry = this.#getEntry(transactionId);
    if (entry.state === 'void') return;
    if (entry.state !== 'waiting') {
      throw new Error(`vault entry ${transactionId} is ${entry.state}: it stands on the chain`);
    }
    this.#connection.run(setState, { transactionId, state: 'void' });
  }

  retire(assetId: AssetId): void {
    this.#connection.run(spendCurrent, { assetId });
  }

  #getEntry(transactionId: TransactionId): VaultEntry {
    const entry = this.findEntry(transactionId);
    if (entry === undefined) throw new Error(`no vault entry of transaction ${transactionId}`);
    return entry;
  }
}
