// The journal in SQLite: accepted transactions, at most one pending for an asset.
import { sql } from 'kysely';
import type {
  JournalEntry,
  JournalStore,
  NewJournalEntry,
  SealedReveal,
  TransactionState,
} from '../chain/journal-store.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type { AssetId, SettlementId, TransactionId } from '../shared/ids.ts';
import type { Connection } from './connection.ts';
import { isTaken } from './sqlite-errors.ts';
import { query, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

// What the chain lost with the operator's consent is rejected, whatever it was before: a row of the journal ends once.
const entries = query
  .selectFrom('journal')
  .leftJoin('lost_transactions as lost', 'lost.transaction_id', 'journal.transaction_id')
  .select([
    'journal.transaction_id as transactionId',
    'group_id as groupId',
    'position',
    'journal.asset_id as assetId',
    'owner_id as ownerId',
    'record',
    'parent',
    'committer',
    'commit_time_seconds as commitTimeSeconds',
    'journal.accepted_at as acceptedAt',
    'resolved_at as resolvedAt',
  ])
  .select([
    sql<TransactionState>`iif(lost.transaction_id IS NULL, journal.state, 'rejected')`.as('state'),
    sql<ErrorCode | null>`iif(lost.transaction_id IS NULL, journal.reason, 'TRANSACTION_LOST')`.as(
      'reason',
    ),
  ]);

const insertEntry = statement((entry: NewJournalEntry) =>
  query.insertInto('journal').values({
    transaction_id: entry.transactionId,
    group_id: entry.groupId,
    position: entry.position,
    asset_id: entry.assetId,
    owner_id: entry.ownerId,
    record: entry.record,
    parent: entry.parent,
    committer: entry.committer,
    commit_time_seconds: entry.commitTimeSeconds,
    accepted_at: entry.acceptedAt,
  }),
);
const findEntry = statement((by: { transactionId: TransactionId }) =>
  entries.where('journal.transaction_id', '=', by.transactionId),
);
const findPendingEntry = statement((by: { assetId: AssetId }) =>
  entries
    .where('journal.asset_id', '=', by.assetId)
    .where('journal.state', '=', sql.lit('pending')),
);
const listGroup = statement((by: { groupId: SettlementId }) =>
  entries.where('group_id', '=', by.groupId).orderBy('position'),
);
// A group is inserted at once and in order, so the sequence alone gives both orders that are asked for.
const listPending = statement(() =>
  entries.where('journal.state', '=', sql.lit('pending')).orderBy('sequence'),
);
const lostTransactions = query.selectFrom('lost_transactions').select('transaction_id');
const listCommitted = statement(() =>
  query
    .selectFrom('journal')
    .select(['transaction_id as transactionId', 'asset_id as assetId'])
    .where((row) =>
      row.or([
        row.and([
          row('state', '=', sql.lit('committed')),
          row('transaction_id', 'not in', lostTransactions),
        ]),
        row('transaction_id', 'in', query.selectFrom('holdings').select('transaction_id')),
      ]),
    )
    .orderBy('sequence'),
);
const listRejected = statement(() =>
  query
    .selectFrom('journal')
    .select(['transaction_id as transactionId', 'asset_id as assetId'])
    .where('state', '=', sql.lit('rejected'))
    .orderBy('sequence'),
);
const countPending = statement(() =>
  query
    .selectFrom('journal')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', sql.lit('pending')),
);
const insertReveal = statement((reveal: { transactionId: TransactionId; sealed: Buffer }) =>
  query
    .insertInto('reveals')
    .values({ transaction_id: reveal.transactionId, sealed: reveal.sealed }),
);
const listReveals = statement((page: { limit: number }) =>
  query
    .selectFrom('reveals')
    .innerJoin('journal', 'journal.transaction_id', 'reveals.transaction_id')
    .select([
      'journal.transaction_id as transactionId',
      'journal.asset_id as assetId',
      'journal.record',
      'reveals.sealed',
    ])
    .leftJoin('lost_transactions as lost', 'lost.transaction_id', 'journal.transaction_id')
    .where('journal.state', '=', sql.lit('committed'))
    // The passphrase that a lost transaction spent moves its asset again.
    .where('lost.transaction_id', 'is', null)
    .orderBy('journal.sequence')
    .limit(page.limit),
);
const removeReveal = statement((by: { transactionId: TransactionId }) =>
  query.deleteFrom('reveals').where('transaction_id', '=', by.transactionId),
);
const resolveGroup = statement(
  (change: {
    groupId: SettlementId;
    state: 'committed' | 'rejected';
    reason: ErrorCode | null;
    resolvedAt: number;
  }) =>
    query
      .updateTable('journal')
      .set({ state: change.state, reason: change.reason, resolved_at: change.resolvedAt })
      .where('group_id', '=', change.groupId)
      .where('state', '=', sql.lit('pending')),
);

export class SqliteJournalStore implements Synchronous<JournalStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insertEntries(entries: readonly NewJournalEntry[]): void {
    const ordered = entries.toSorted((a, b) => a.position - b.position);
    this.#connection.atomic(() => {
      for (const entry of ordered) this.#insertEntry(entry);
    });
  }

  findEntry(transactionId: TransactionId): JournalEntry | undefined {
    return this.#connection.first(findEntry, { transactionId });
  }

  findPendingEntry(assetId: AssetId): JournalEntry | undefined {
    return this.#connection.first(findPendingEntry, { assetId });
  }

  listGroup(groupId: SettlementId): readonly JournalEntry[] {
    return this.#connection.all(listGroup, { groupId });
  }

  listPending(): readonly JournalEntry[] {
    return this.#connection.all(listPending, {});
  }

  listCommitted(): readonly Pick<JournalEntry, 'transactionId' | 'assetId'>[] {
    return this.#connection.all(listCommitted, {});
  }

  listRejected(): readonly Pick<JournalEntry, 'transactionId' | 'assetId'>[] {
    return this.#connection.all(listRejected, {});
  }

  resolveGroups(
    groupIds: readonly SettlementId[],
    resolution: {
      readonly state: 'committed' | 'rejected';
      readonly reason: ErrorCode | null;
      readonly resolvedAt: number;
    },
  ): void {
    this.#connection.atomic(() => {
      for (const groupId of groupIds) {
        this.#connection.run(resolveGroup, { groupId, ...resolution });
      }
    });
  }

  countPending(): number {
    return this.#connection.first(countPending, {})?.count ?? 0;
  }

  listReveals(limit: number): readonly SealedReveal[] {
    return this.#connection.all(listReveals, { limit });
  }

  removeReveals(transactionIds: readonly TransactionId[]): void {
    this.#connection.atomic(() => {
      for (const transactionId of transactionIds) {
        this.#connection.run(removeReveal, { transactionId });
      }
    });
  }

  #insertEntry({ sealedPassphrase: sealed, ...entry }: NewJournalEntry): void {
    try {
      this.#connection.run(insertEntry, entry);
      if (sealed === undefined) return;
      this.#connection.run(insertReveal, { transactionId: entry.transactionId, sealed });
    } catch (error) {
      if (isTaken(error, 'journal.asset_id')) {
        throw new AppError('ASSET_BUSY', { assetId: entry.assetId }, { cause: error });
      }
      if (isTaken(error, 'journal.transaction_id')) {
        const { transactionId } = entry;
        throw new AppError('TRANSACTION_ID_TAKEN', { transactionId }, { cause: error });
      }
      throw error;
    }
  }
}
