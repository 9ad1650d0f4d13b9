// The port to the ledger: accounts, immutable transfers and holds, within one database transaction.
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type { AccountId, HoldId, MemberId, SettlementId, TransferId } from '../shared/ids.ts';

/** Where coins are born; the only account that may stand below zero. */
export const ISSUANCE = 'issuance' as AccountId;
/** The house. */
export const BANK = 'bank' as AccountId;
/** A member's purse. */
export const memberAccount = (memberId: MemberId): AccountId => `member:${memberId}` as AccountId;
/** Where a hold's coins sit. */
export const escrowAccount = (holdId: HoldId): AccountId => `escrow:${holdId}` as AccountId;

/** Why a transfer happened. */
export type TransferCode =
  | 'bank-funding'
  | 'daily'
  | 'payment'
  | 'roll-price'
  | 'roll-prize'
  | 'trade-price'
  | 'hold-released'
  | 'correction';

export interface Transfer {
  readonly transferId: TransferId;
  readonly debitAccount: AccountId;
  readonly creditAccount: AccountId;
  readonly amountGc: GuyaCoin;
  readonly code: TransferCode;
  readonly settlementId: SettlementId;
  /** ms since the epoch. */
  readonly createdAt: number;
}

export type HoldState = 'placed' | 'captured' | 'released' | 'expired';

export interface Hold {
  readonly holdId: HoldId;
  /** Whose coins they were. */
  readonly accountId: AccountId;
  readonly amountGc: GuyaCoin;
  readonly settlementId: SettlementId;
  readonly state: HoldState;
  readonly placedAt: number;
}

/** A line of an account's statement. */
export interface StatementLine extends Transfer {
  /** Positive when the account was credited. */
  readonly changeGc: number;
  readonly balanceAfterGc: number;
}

export interface LedgerStore {
  /** 0 for an account that has never been used. */
  balanceOf(accountId: AccountId): Promise<number>;
  /**
   * Writes one transfer and both balances. An identical repeat (same id) changes nothing.
   * @throws AppError INSUFFICIENT_FUNDS when the debit account would fall below zero; KEY_REUSED when the id was used
   *   for another transfer.
   */
  insertTransfer(transfer: Transfer): Promise<void>;
  /** Moves the coins into escrow; `code` says on the statement what they are held for. @throws AppError INSUFFICIENT_FUNDS */
  placeHold(hold: Omit<Hold, 'state'>, code: TransferCode): Promise<void>;
  /**
   * Ends a hold: captured (its coins go to `creditAccount` under `code`), released or expired (back to their owner).
   * @throws AppError HOLD_NOT_OPEN
   */
  captureHold(
    holdId: HoldId,
    to: { readonly creditAccount: AccountId; readonly code: TransferCode; readonly at: number },
  ): Promise<void>;
  releaseHold(
    holdId: HoldId,
    end: { readonly state: 'released' | 'expired'; readonly at: number },
  ): Promise<void>;
  /** Open holds, of one settlement or of all. */
  listOpenHolds(settlementId?: SettlementId): Promise<readonly Hold[]>;
  /** Newest first. */
  listStatement(
    accountId: AccountId,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<readonly StatementLine[]>;
  countStatement(accountId: AccountId): Promise<number>;
  /** What an auditor needs: totals recomputed from the transfers, compared with the balances kept. */
  audit(): Promise<readonly string[]>;
}
