// The tables of the authoritative database as kysely's types; `migrations/` makes them.
import type { Generated } from 'kysely';
import type { Holder, SettlementKind, SettlementState } from '../app/ports/settlement-store.ts';
import type { ClaimKind } from '../app/ports/roll-store.ts';
import type { TransactionState } from '../chain/journal-store.ts';
import type { HoldState, TransferCode } from '../ledger/ledger-store.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { GuyaCoin } from '../shared/guya-coin.ts';
import type {
  AccountId,
  AssetId,
  CommitId,
  HoldId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  SettlementId,
  TradeId,
  TransactionId,
  TransferId,
} from '../shared/ids.ts';
import type { TradeState } from '../trade/trade.ts';
import type { Custody, VaultEntryState, VaultHeader } from '../vault/vault-store.ts';

export interface Schema {
  settlements: {
    settlement_id: SettlementId;
    key: IdempotencyKey;
    kind: SettlementKind;
    state: Generated<SettlementState>;
    /** JSON, both null until the plan is set. */
    effects: Generated<string | null>;
    answer: Generated<string | null>;
    reason: Generated<ErrorCode | null>;
    created_at: number;
    resolved_at: Generated<number | null>;
  };
  hand_overs: {
    settlement_id: SettlementId;
    position: number;
    transaction_id: TransactionId;
    asset_id: AssetId;
    from_holder: Holder | null;
    to_holder: Holder;
    to_owner_id: OwnerId;
  };
  trades: {
    trade_id: TradeId;
    key: IdempotencyKey;
    state: TradeState;
    version: number;
    proposer: MemberId;
    counterparty: MemberId;
    /** JSON. */
    sides: string;
    settlement_id: SettlementId | null;
    created_at: number;
    expires_at: number;
    channel_id: Generated<string | null>;
    message_id: Generated<string | null>;
  };
  /** Kept by triggers: who takes part in an open or settling trade. */
  active_traders: { member_id: MemberId; trade_id: TradeId };
  reservations: {
    asset_id: AssetId;
    settlement_id: SettlementId | null;
    trade_id: TradeId | null;
    reserved_at: number;
  };
  holdings: {
    asset_id: AssetId;
    holder: Holder;
    owner_id: OwnerId;
    transaction_id: TransactionId;
    obtained_at: number;
  };
  owners: { owner_id: OwnerId; member_id: MemberId };
  /** Kept by triggers, with `statement_lines`, from `transfers`. */
  accounts: {
    account_id: AccountId;
    balance_gc: Generated<number>;
    line_count: Generated<number>;
  };
  transfers: {
    sequence: Generated<number>;
    transfer_id: TransferId;
    debit_account: AccountId;
    credit_account: AccountId;
    amount_gc: GuyaCoin;
    code: TransferCode;
    settlement_id: SettlementId;
    created_at: number;
  };
  statement_lines: {
    account_id: AccountId;
    /** 1, 2, … without a gap, so that a page is a range. */
    line_number: number;
    sequence: number;
    change_gc: number;
    balance_after_gc: number;
  };
  holds: {
    hold_id: HoldId;
    account_id: AccountId;
    amount_gc: GuyaCoin;
    settlement_id: SettlementId;
    state: Generated<HoldState>;
    placed_at: number;
    closed_at: Generated<number | null>;
  };
  vault_header: {
    id: number;
    kdf: VaultHeader['kdf'];
    parameters: string;
    salt: Buffer;
    wrapped_key: Buffer;
  };
  vault_entries: {
    transaction_id: TransactionId;
    asset_id: AssetId;
    custody: Custody;
    sealed: Buffer;
    state: Generated<VaultEntryState>;
    created_at: number;
  };
  journal: {
    sequence: Generated<number>;
    transaction_id: TransactionId;
    group_id: SettlementId;
    position: number;
    asset_id: AssetId;
    owner_id: OwnerId;
    record: Buffer;
    parent: CommitId;
    committer: string;
    commit_time_seconds: number;
    state: Generated<TransactionState>;
    reason: Generated<ErrorCode | null>;
    accepted_at: number;
    resolved_at: Generated<number | null>;
  };
  /** Kept by a trigger too: the row of a rejected transaction goes. */
  reveals: { transaction_id: TransactionId; sealed: Buffer };
  rolls: {
    settlement_id: SettlementId;
    position: number;
    member_id: MemberId;
    banner_id: string;
    entry_id: string;
    created_at: number;
  };
  /** Kept by triggers from `rolls` and the states of their settlements. */
  wins: { banner_id: string; entry_id: string; count: number };
  restores: { restored_at: number; taken_at: number; reconciled_at: Generated<number | null> };
  lost_assets: { asset_id: AssetId; transaction_id: TransactionId; noticed_at: number };
  accepted_rewritings: { number: number; digest: string; accepted_at: number };
  accepted_assets: { number: number; asset_id: AssetId };
  redeliveries: {
    asset_id: AssetId;
    holder: Holder;
    tip_transaction_id: TransactionId | null;
    owed_since: number;
  };
  lost_transactions: { transaction_id: TransactionId; asset_id: AssetId; accepted_at: number };
  cards: { member_id: MemberId; card_id: string; count: number };
  claims: { member_id: MemberId; kind: ClaimKind; claimed_at: number };
}
