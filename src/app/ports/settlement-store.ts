// The port to the settlements' rows: the all-or-nothing units, what they have reserved, and who holds what in custody.
import type { ErrorCode } from '../../shared/errors.ts';
import type {
  AccountId,
  AssetId,
  HoldId,
  IdempotencyKey,
  MemberId,
  OwnerId,
  SettlementId,
  TradeId,
  TransactionId,
} from '../../shared/ids.ts';
import type { TransferCode } from '../../ledger/ledger-store.ts';

export type SettlementKind =
  'catalogue' | 'mint' | 'roll' | 'gift' | 'trade' | 'payment' | 'daily' | 'create';

/** `prepared`: durable, its hand-overs are on their way. `settled` and `voided` are final. */
export type SettlementState = 'prepared' | 'settled' | 'voided';

/** Whose an asset is in the bot's custody: a member's, or the bot's own stock. */
export type Holder = MemberId | 'bot';

/** One asset's way to a new holder; a mint comes from nobody. */
export interface HandOver {
  readonly transactionId: TransactionId;
  readonly assetId: AssetId;
  readonly from: Holder | null;
  readonly to: Holder;
  readonly toOwnerId: OwnerId;
}

/** What happens, in the same database transaction, when the hand-overs are committed. */
export interface SettlementEffects {
  /** Where each hold's coins go. */
  readonly captures: readonly {
    readonly holdId: HoldId;
    readonly creditAccount: AccountId;
    readonly code: TransferCode;
  }[];
  /** Coins that the bank pays. */
  readonly payouts: readonly {
    readonly creditAccount: AccountId;
    readonly amountGc: number;
    readonly code: TransferCode;
  }[];
  readonly cards: readonly { readonly memberId: MemberId; readonly cardId: string }[];
  readonly tradeId: TradeId | null;
}

export interface Settlement {
  readonly settlementId: SettlementId;
  readonly key: IdempotencyKey;
  readonly kind: SettlementKind;
  readonly state: SettlementState;
  readonly handOvers: readonly HandOver[];
  readonly effects: SettlementEffects;
  /** What the use case answered, as JSON, so that a repeated request gets the same answer. */
  readonly answer: string;
  /** Why it was voided; null otherwise. */
  readonly reason: ErrorCode | null;
  readonly createdAt: number;
  readonly resolvedAt: number | null;
}

/** Who has claimed an asset. */
export type ReservationOwner =
  | { readonly kind: 'settlement'; readonly settlementId: SettlementId }
  | { readonly kind: 'trade'; readonly tradeId: TradeId };

export interface Reservation {
  readonly assetId: AssetId;
  readonly by: ReservationOwner;
}

/** An asset in the bot's custody. */
export interface Holding {
  readonly assetId: AssetId;
  readonly holder: Holder;
  readonly ownerId: OwnerId;
  /** The committed transaction that made the holder its owner (or a later amendment). */
  readonly transactionId: TransactionId;
  /** ms since the epoch. */
  readonly obtainedAt: number;
}

export interface SettlementStore {
  /** @throws AppError KEY_REUSED when the key has a settlement already. */
  insertSettlement(
    settlement: Pick<Settlement, 'settlementId' | 'key' | 'kind' | 'handOvers' | 'createdAt'>,
  ): Promise<void>;
  /** Completes a settlement in the transaction that inserted it, once its holds are placed. */
  setPlan(settlementId: SettlementId, plan: Pick<Settlement, 'effects' | 'answer'>): Promise<void>;
  findSettlement(settlementId: SettlementId): Promise<Settlement | undefined>;
  findByKey(key: IdempotencyKey): Promise<Settlement | undefined>;
  /** Every settlement that is neither settled nor voided, oldest first. */
  listPrepared(): Promise<readonly Settlement[]>;
  /**
   * Ends a prepared settlement.
   * @returns false when it was ended before; then nothing is changed and the caller must change nothing either.
   */
  resolveSettlement(
    settlementId: SettlementId,
    end: {
      readonly state: 'settled' | 'voided';
      readonly reason: ErrorCode | null;
      readonly at: number;
    },
  ): Promise<boolean>;

  /** @throws AppError ASSET_RESERVED when someone else has claimed it; the same owner's repeat changes nothing. */
  reserve(assetId: AssetId, by: ReservationOwner, at: number): Promise<void>;
  /** The trade's reservations become the settlement's. */
  moveReservations(tradeId: TradeId, settlementId: SettlementId): Promise<void>;
  freeReservation(assetId: AssetId, by: ReservationOwner): Promise<void>;
  freeReservations(by: ReservationOwner): Promise<void>;
  findReservation(assetId: AssetId): Promise<Reservation | undefined>;
  listReservations(): Promise<readonly Reservation[]>;

  findHolding(assetId: AssetId): Promise<Holding | undefined>;
  /** Inserts or replaces. */
  putHolding(holding: Holding): Promise<void>;
  removeHolding(assetId: AssetId): Promise<void>;
  /** The holder's assets, newest first, ties by asset id. */
  listHoldings(
    holder: Holder,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<readonly Holding[]>;
  countHoldings(holder: Holder): Promise<number>;
  /** Unreserved assets of a holder, at most `limit`, newest first. */
  listFreeHoldings(holder: Holder, limit: number): Promise<readonly Holding[]>;
  listAllHoldings(): Promise<readonly Holding[]>;

  /** Remembers which member an owner id on the chain stands for. */
  putOwner(ownerId: OwnerId, memberId: MemberId): Promise<void>;
  findMemberOf(ownerId: OwnerId): Promise<MemberId | undefined>;
}
