// The ledger in SQLite: triggers keep balances and statements, this store adds the refusals that the port names.
import { sql } from 'kysely';
import { AppError } from '../shared/errors.ts';
import { formatGuyaCoin } from '../shared/guya-coin.ts';
import type { AccountId, HoldId, SettlementId, TransferId } from '../shared/ids.ts';
import {
  escrowAccount,
  type Hold,
  type LedgerStore,
  type StatementLine,
  type Transfer,
  type TransferCode,
} from '../ledger/ledger-store.ts';
import { holdTransferId } from '../ledger/transfer-id.ts';
import type { Connection } from './connection.ts';
import { auditLedger } from './ledger-audit.ts';
import { breaksCheck } from './sqlite-errors.ts';
import { query, rawStatement, statement } from './statement.ts';
import type { Synchronous } from './synchronous.ts';

const findAccount = statement((by: { accountId: AccountId }) =>
  query
    .selectFrom('accounts')
    .select(['balance_gc as balanceGc', 'line_count as lineCount'])
    .where('account_id', '=', by.accountId),
);
const insertTransfer = statement((transfer: Transfer) =>
  query
    .insertInto('transfers')
    .values({
      transfer_id: transfer.transferId,
      debit_account: transfer.debitAccount,
      credit_account: transfer.creditAccount,
      amount_gc: transfer.amountGc,
      code: transfer.code,
      settlement_id: transfer.settlementId,
      created_at: transfer.createdAt,
    })
    .onConflict((conflict) => conflict.column('transfer_id').doNothing()),
);
const findTransfer = statement((by: { transferId: TransferId }) =>
  query
    .selectFrom('transfers')
    .select([
      'transfer_id as transferId',
      'debit_account as debitAccount',
      'credit_account as creditAccount',
      'amount_gc as amountGc',
      'code',
      'settlement_id as settlementId',
      'created_at as createdAt',
    ])
    .where('transfer_id', '=', by.transferId),
);

const holds = query
  .selectFrom('holds')
  .select([
    'hold_id as holdId',
    'account_id as accountId',
    'amount_gc as amountGc',
    'settlement_id as settlementId',
    'state',
    'placed_at as placedAt',
  ]);
const insertHold = statement((hold: Omit<Hold, 'state'>) =>
  query.insertInto('holds').values({
    hold_id: hold.holdId,
    account_id: hold.accountId,
    amount_gc: hold.amountGc,
    settlement_id: hold.settlementId,
    placed_at: hold.placedAt,
  }),
);
const findHold = statement((by: { holdId: HoldId }) => holds.where('hold_id', '=', by.holdId));
const closeHold = statement(
  (end: { holdId: HoldId; state: 'captured' | 'released' | 'expired'; at: number }) =>
    query
      .updateTable('holds')
      .set({ state: end.state, closed_at: end.at })
      .where('hold_id', '=', end.holdId),
);
const listOpenHolds = statement(() =>
  holds.where('state', '=', sql.lit('placed')).orderBy('placed_at').orderBy('hold_id'),
);
const listOpenHoldsOf = statement((by: { settlementId: SettlementId }) =>
  holds
    .where('state', '=', sql.lit('placed'))
    .where('settlement_id', '=', by.settlementId)
    .orderBy('placed_at')
    .orderBy('hold_id'),
);

// Line numbers have no gap, so a page starts at a known number and nothing before it is read.
const listStatement = rawStatement(
  (page: { accountId: AccountId; limit: number; offset: number }) => sql<StatementLine>`
    SELECT t.transfer_id AS transferId, t.debit_account AS debitAccount,
      t.credit_account AS creditAccount, t.amount_gc AS amountGc, t.code,
      t.settlement_id AS settlementId, t.created_at AS createdAt,
      l.change_gc AS changeGc, l.balance_after_gc AS balanceAfterGc
    FROM statement_lines AS l CROSS JOIN transfers AS t ON t.sequence = l.sequence
    WHERE l.account_id = ${page.accountId}
      AND l.line_number <=
        (SELECT line_count FROM accounts WHERE account_id = ${page.accountId}) - ${page.offset}
    ORDER BY l.line_number DESC
    LIMIT ${page.limit}`,
);

export class SqliteLedgerStore implements Synchronous<LedgerStore> {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  balanceOf(accountId: AccountId): number {
    return this.#connection.first(findAccount, { accountId })?.balanceGc ?? 0;
  }

  insertTransfer(transfer: Transfer): void {
    if (this.#post(transfer)) return;
    const earlier = this.#connection.first(findTransfer, { transferId: transfer.transferId });
    if (earlier === undefined || !isSameTransfer(earlier, transfer)) {
      throw new AppError('KEY_REUSED');
    }
  }

  placeHold(hold: Omit<Hold, 'state'>, code: TransferCode): void {
    const earlier = this.#connection.first(findHold, { holdId: hold.holdId });
    if (earlier !== undefined) {
      if (isSameHold(earlier, hold)) return;
      throw new AppError('KEY_REUSED');
    }
    this.#connection.atomic(() => {
      this.insertTransfer({
        transferId: holdTransferId(hold.holdId, 'placed'),
        debitAccount: hold.accountId,
        creditAccount: escrowAccount(hold.holdId),
        amountGc: hold.amountGc,
        code,
        settlementId: hold.settlementId,
        createdAt: hold.placedAt,
      });
      this.#connection.run(insertHold, hold);
    });
  }

  captureHold(
    holdId: HoldId,
    to: { readonly creditAccount: AccountId; readonly code: TransferCode; readonly at: number },
  ): void {
    this.#close(this.#getOpenHold(holdId), { state: 'captured', ...to });
  }

  releaseHold(
    holdId: HoldId,
    end: { readonly state: 'released' | 'expired'; readonly at: number },
  ): void {
    const hold = this.#getOpenHold(holdId);
    this.#close(hold, { creditAccount: hold.accountId, code: 'hold-released', ...end });
  }

  listOpenHolds(settlementId?: SettlementId): readonly Hold[] {
    return settlementId === undefined
      ? this.#connection.all(listOpenHolds, {})
      : this.#connection.all(listOpenHoldsOf, { settlementId });
  }

  listStatement(
    accountId: AccountId,
    page: { readonly limit: number; readonly offset: number },
  ): readonly StatementLine[] {
    return this.#connection.all(listStatement, { accountId, ...page });
  }

  countStatement(accountId: AccountId): number {
    return this.#connection.first(findAccount, { accountId })?.lineCount ?? 0;
  }

  audit(): readonly string[] {
    return auditLedger(this.#connection);
  }

  /** @returns false when the id stands already; then nothing was written. */
  #post(transfer: Transfer): boolean {
    try {
      return this.#connection.run(insertTransfer, transfer) === 1;
    } catch (error) {
      if (!breaksCheck(error, 'balance_below_zero')) throw error;
      const facts = {
        needed: formatGuyaCoin(transfer.amountGc),
        balance: formatGuyaCoin(this.balanceOf(transfer.debitAccount)),
      };
      throw new AppError('INSUFFICIENT_FUNDS', facts, { cause: error });
    }
  }

  #getOpenHold(holdId: HoldId): Hold {
    const hold = this.#connection.first(findHold, { holdId });
    if (hold?.state !== 'placed') throw new AppError('HOLD_NOT_OPEN');
    return hold;
  }

  #close(
    hold: Hold,
    end: {
      readonly state: 'captured' | 'released' | 'expired';
      readonly creditAccount: AccountId;
      readonly code: TransferCode;
      readonly at: number;
    },
  ): void {
    this.#connection.atomic(() => {
      this.insertTransfer({
        transferId: holdTransferId(hold.holdId, 'closed'),
        debitAccount: escrowAccount(hold.holdId),
        creditAccount: end.creditAccount,
        amountGc: hold.amountGc,
        code: end.code,
        settlementId: hold.settlementId,
        createdAt: end.at,
      });
      this.#connection.run(closeHold, { holdId: hold.holdId, state: end.state, at: end.at });
    });
  }
}

/** The time is left out: a repeat happens later, and is still the same transfer. */
function isSameTransfer(one: Transfer, other: Transfer): boolean {
  return (
    one.debitAccount === other.debitAccount &&
    one.creditAccount === other.creditAccount &&
    one.amountGc === other.amountGc &&
    one.code === other.code &&
    one.settlementId === other.settlementId
  );
}

function isSameHold(one: Omit<Hold, 'state'>, other: Omit<Hold, 'state'>): boolean {
  return (
    one.accountId === other.accountId &&
    one.amountGc === other.amountGc &&
    one.settlementId === other.settlementId
  );
}
